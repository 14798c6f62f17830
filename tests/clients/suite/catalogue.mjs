import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { MissingError } from "./driver.mjs";

const driver = (file) => fileURLToPath(new URL(`../drivers/${file}`, import.meta.url));
const commands = (...args) => [process.execPath, driver("commands.mjs"), ...args];
const node = (client, mode) => [process.execPath, driver("node.mjs"), client, mode];
const aws = (mode) => [process.execPath, driver("aws.mjs"), mode];
// Debian's modules belong to Debian's Python, whichever comes first in the PATH.
const PYTHON = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
const python = (client, mode) => [PYTHON, driver("python.py"), client, mode];
const perl = (client, mode) => ["perl", driver("client.pl"), client, mode];
const ruby = (mode) => ["ruby", driver("client.rb"), mode];
const guzzle = (mode) => ["php", driver("guzzle.php"), mode];

/** Builds by what is built: the modes of a client share a program. */
const built = new Map();

function compile(target, program, args) {
  if (!built.has(target)) {
    const building = promisify(execFile)(program, args, { timeout: 240_000 }).catch(({ code, message, stderr }) => {
      if (code === "ENOENT") throw new MissingError(`there is no ${program}`);
      throw new Error(`${program}: ${stderr || message}`);
    });
    built.set(target, building);
  }
  return built.get(target);
}

function go(mode) {
  return async (folder) => {
    const program = join(folder, "client-go");
    await compile(program, "go", ["build", "-o", program, driver("client.go")]);
    return [program, mode];
  };
}

const JARS = "/usr/share/java";

function java(main, mode, jars = []) {
  return async (folder) => {
    const paths = jars.map((jar) => join(JARS, `${jar}.jar`));
    for (const path of paths) if (!existsSync(path)) throw new MissingError(`there is no ${path}`);
    const classes = join(folder, main);
    const classPath = [classes, ...paths].join(":");
    const sources = [driver("java/Driver.java"), driver(`java/${main}.java`)];
    await compile(classes, "javac", ["-cp", classPath, "-d", classes, ...sources]);
    return ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classPath, main, mode];
  };
}

const HC4 = ["httpclient", "httpcore", "commons-logging", "commons-codec"];
const HC5 = ["httpclient5", "httpcore5", "httpcore5-h2", "slf4j-api"];
const OKHTTP = ["okhttp", "okio"];

const HEADER = "`Expect: 100-continue`";

/**
 * The clients. `debian`: the packages that bring one to Debian. `on`, `off`: how to switch `Expect` on and off.
 *
 * `modes`: the ways of use that are run, each a row of the table.
 * - `start`: the command of its driver, or a function of the build folder that builds it and answers the command.
 * - `sends`: what makes it send `Expect`; none where it does not.
 * - `canChunk`: whether it can send content without a length.
 * - `repeats417`: it repeats a 417 without `Expect` by itself.
 * - `hasOneFile`: the upload that follows on its session brings the same content.
 * - `isShort`: part of the short run.
 */
export const CLIENTS = [
  {
    name: "curl",
    debian: "curl",
    on: "by itself for a body over 1 MiB (`-T -`: always); `curl -H 'Expect: 100-continue' -T FILE URL`",
    off: "`curl -H 'Expect:' -T FILE URL`",
    modes: [
      { name: "curl -T FILE", start: commands("curl", "put"), sends: "by itself", canChunk: true, isShort: true },
      {
        name: "curl --data-binary @FILE",
        start: commands("curl", "post"),
        sends: "by itself",
        canChunk: true,
        isShort: true,
      },
      { name: "curl -T -", start: commands("curl", "stdin"), sends: "by itself", canChunk: true, isShort: true },
      {
        name: "curl -T FILE --expect100-timeout 10",
        start: commands("curl", "put", "--expect100-timeout", "10"),
        sends: "by itself",
        canChunk: true,
        isShort: true,
      },
      {
        name: "curl -H Expect: -T FILE",
        start: commands("curl", "put", "-H", "Expect:"),
        canChunk: true,
        isShort: true,
      },
    ],
  },
  {
    name: "wget",
    debian: "wget",
    on: "`wget --header='Expect: 100-continue' --method=PUT --body-file=FILE URL`",
    off: "as it is",
    modes: [
      {
        name: "wget with the header",
        start: commands("wget", "--header=Expect: 100-continue"),
        sends: "header",
        hasOneFile: true,
      },
      { name: "wget", start: commands("wget"), hasOneFile: true },
    ],
  },
  {
    name: "Python requests",
    debian: "python3-requests",
    on: '`requests.put(url, data=f, headers={"Expect": "100-continue"})`',
    off: "as it is",
    modes: [
      {
        name: "requests with the header",
        start: python("requests", "expect"),
        sends: "header",
        canChunk: true,
        isShort: true,
      },
      { name: "requests", start: python("requests", "plain"), canChunk: true, isShort: true },
    ],
  },
  {
    name: "Python urllib3",
    debian: "python3-urllib3",
    on: '`pool.request("PUT", url, body=f, headers={"Expect": "100-continue"})`',
    off: "as it is",
    modes: [
      {
        name: "urllib3 with the header",
        start: python("urllib3", "expect"),
        sends: "header",
        canChunk: true,
        isShort: true,
      },
      { name: "urllib3", start: python("urllib3", "plain"), canChunk: true, isShort: true },
    ],
  },
  {
    name: "Python httpx",
    debian: "python3-httpx",
    on: '`httpx.put(url, content=f, headers={"Expect": "100-continue"})`',
    off: "as it is",
    modes: [
      {
        name: "httpx with the header",
        start: python("httpx", "expect"),
        sends: "header",
        canChunk: true,
        isShort: true,
      },
      { name: "httpx", start: python("httpx", "plain"), canChunk: true, isShort: true },
    ],
  },
  {
    name: "Python http.client",
    debian: "python3",
    on: '`connection.request("PUT", path, f, {"Expect": "100-continue"})`',
    off: "as it is",
    modes: [
      {
        name: "http.client with the header",
        start: python("http.client", "expect"),
        sends: "header",
        canChunk: true,
        isShort: true,
      },
      { name: "http.client", start: python("http.client", "plain"), canChunk: true, isShort: true },
    ],
  },
  {
    name: "Python aiohttp",
    debian: "python3-aiohttp",
    on: "`session.put(url, data=f, expect100=True)`",
    off: "as it is",
    modes: [
      {
        name: "aiohttp with expect100",
        start: python("aiohttp", "expect"),
        sends: "option",
        canChunk: true,
        isShort: true,
      },
      { name: "aiohttp", start: python("aiohttp", "plain"), canChunk: true, isShort: true },
    ],
  },
  {
    name: "Python tornado",
    debian: "python3-tornado",
    on: '`HTTPRequest(url, method="PUT", body=data, expect_100_continue=True)`',
    off: "as it is",
    modes: [
      {
        name: "tornado with expect_100_continue",
        start: python("tornado", "expect"),
        sends: "option",
        canChunk: true,
        isShort: true,
      },
      { name: "tornado", start: python("tornado", "plain"), canChunk: true, isShort: true },
    ],
  },
  {
    name: "Python boto3",
    debian: "python3-boto3",
    on: "by itself for every `put_object` and `upload_part`",
    off: '`s3.meta.events.unregister("before-call.s3", botocore.handlers.add_expect_header)`',
    modes: [
      { name: "boto3", start: python("boto3", "expect"), sends: "by itself", isShort: true },
      { name: "boto3 without the handler", start: python("boto3", "plain"), isShort: true },
    ],
  },
  {
    name: "Go net/http",
    debian: "golang-go",
    on: '`req.Header.Set("Expect", "100-continue")`; it waits for `http.Transport.ExpectContinueTimeout`',
    off: "as it is",
    modes: [
      { name: "Go with the header", start: go("expect"), sends: "header", canChunk: true, isShort: true },
      { name: "Go", start: go("plain"), canChunk: true, isShort: true },
    ],
  },
  {
    name: "Java HttpClient",
    debian: "default-jdk-headless",
    on: "`HttpRequest.newBuilder(uri).expectContinue(true)`",
    off: "as it is",
    modes: [
      {
        name: "Java HttpClient with expectContinue",
        start: java("JdkHttpClient", "expect"),
        sends: "option",
        canChunk: true,
      },
      { name: "Java HttpClient", start: java("JdkHttpClient", "plain"), canChunk: true },
    ],
  },
  {
    name: "Java HttpURLConnection",
    debian: "default-jdk-headless",
    on: '`connection.setRequestProperty("Expect", "100-continue")`, with a streaming mode',
    off: "as it is",
    modes: [
      {
        name: "HttpURLConnection with the header",
        start: java("UrlConnection", "expect"),
        sends: "header",
        canChunk: true,
      },
      { name: "HttpURLConnection", start: java("UrlConnection", "plain"), canChunk: true },
    ],
  },
  {
    name: "Apache HttpClient 4",
    debian: "libhttpclient-java",
    on: "`RequestConfig.custom().setExpectContinueEnabled(true)`",
    off: "as it is",
    modes: [
      {
        name: "HttpClient 4 with expect-continue",
        start: java("ApacheHc4", "expect", HC4),
        sends: "option",
        canChunk: true,
      },
      { name: "HttpClient 4", start: java("ApacheHc4", "plain", HC4), canChunk: true },
    ],
  },
  {
    name: "Apache HttpClient 5",
    debian: "libhttpclient5-java",
    on: "`RequestConfig.custom().setExpectContinueEnabled(true)`",
    off: "as it is",
    modes: [
      {
        name: "HttpClient 5 with expect-continue",
        start: java("ApacheHc5", "expect", HC5),
        sends: "option",
        canChunk: true,
      },
      { name: "HttpClient 5", start: java("ApacheHc5", "plain", HC5), canChunk: true },
      {
        name: "HttpClient 5 async with expect-continue",
        start: java("ApacheHc5Async", "expect", HC5),
        sends: "option",
        canChunk: true,
      },
      { name: "HttpClient 5 async", start: java("ApacheHc5Async", "plain", HC5), canChunk: true },
    ],
  },
  {
    name: "okhttp",
    debian: "libokhttp-java",
    on: '`new Request.Builder().header("Expect", "100-continue")`',
    off: "as it is",
    modes: [
      { name: "okhttp with the header", start: java("OkHttp", "expect", OKHTTP), sends: "header", canChunk: true },
      { name: "okhttp", start: java("OkHttp", "plain", OKHTTP), canChunk: true },
    ],
  },
  {
    name: "Ruby Net::HTTP",
    debian: "ruby",
    on: '`http.continue_timeout = 1; request["Expect"] = "100-continue"`',
    off: "as it is",
    modes: [
      {
        name: "Net::HTTP with the header and continue_timeout",
        start: ruby("expect"),
        sends: "header",
        canChunk: true,
      },
      { name: "Net::HTTP", start: ruby("plain"), canChunk: true },
    ],
  },
  {
    name: "PHP Guzzle",
    debian: "php-guzzlehttp-guzzle php-curl",
    on: 'by itself for a body over 1 MiB; `$client->put($url, ["body" => $body, "expect" => true])`',
    off: '`$client->put($url, ["body" => $body, "expect" => false])`',
    modes: [
      { name: "Guzzle", start: guzzle("default"), sends: "by itself", canChunk: true },
      { name: "Guzzle with expect off", start: guzzle("off"), canChunk: true },
    ],
  },
  {
    name: "Perl LWP",
    debian: "libwww-perl",
    on: '`$ua->put($url, Expect => "100-continue", Content => $content)`',
    off: "as it is",
    modes: [
      { name: "LWP with the header", start: perl("LWP", "expect"), sends: "header", canChunk: true },
      { name: "LWP", start: perl("LWP", "plain"), canChunk: true },
    ],
  },
  {
    name: "Perl HTTP::Tiny",
    debian: "perl",
    on: '`$http->put($url, { headers => { Expect => "100-continue" }, content => $content })`',
    off: "as it is",
    modes: [
      { name: "HTTP::Tiny with the header", start: perl("HTTP::Tiny", "expect"), sends: "header", canChunk: true },
      { name: "HTTP::Tiny", start: perl("HTTP::Tiny", "plain"), canChunk: true },
    ],
  },
  {
    name: "Node http",
    on: `header ${HEADER}, then \`req.flushHeaders(); req.on("continue", () => req.end(body))\``,
    off: "as it is",
    modes: [
      {
        name: "Node http, waiting",
        start: node("http, waiting", "expect"),
        sends: "header",
        canChunk: true,
        isShort: true,
      },
      {
        name: "Node http with the header, not waiting",
        start: node("http", "expect"),
        sends: "header",
        canChunk: true,
        isShort: true,
      },
      { name: "Node http", start: node("http", "plain"), canChunk: true, isShort: true },
    ],
  },
  {
    name: "express-expectations/client",
    on: "by itself for every body: `upload(url, { body })`",
    off: "cannot: it is there for this",
    modes: [
      {
        name: "express-expectations/client",
        start: node("express-expectations/client", "expect"),
        sends: "by itself",
        canChunk: true,
        repeats417: true,
        isShort: true,
      },
    ],
  },
  {
    name: "axios",
    on: '`axios.put(url, body, { headers: { Expect: "100-continue" } })`',
    off: "as it is",
    modes: [
      { name: "axios with the header", start: node("axios", "expect"), sends: "header", canChunk: true, isShort: true },
      { name: "axios", start: node("axios", "plain"), canChunk: true, isShort: true },
    ],
  },
  {
    name: "got",
    on: '`got.put(url, { body, headers: { Expect: "100-continue" } })`',
    off: "as it is",
    modes: [
      { name: "got with the header", start: node("got", "expect"), sends: "header", canChunk: true, isShort: true },
      { name: "got", start: node("got", "plain"), canChunk: true, isShort: true },
    ],
  },
  {
    name: "node-fetch",
    on: '`fetch(url, { method: "PUT", body, headers: { Expect: "100-continue" } })`',
    off: "as it is",
    modes: [
      {
        name: "node-fetch with the header",
        start: node("node-fetch", "expect"),
        sends: "header",
        canChunk: true,
        isShort: true,
      },
      { name: "node-fetch", start: node("node-fetch", "plain"), canChunk: true, isShort: true },
    ],
  },
  {
    name: "fetch of Node",
    on: "cannot: `UND_ERR_NOT_SUPPORTED`",
    off: "as it is",
    modes: [{ name: "fetch", start: node("fetch", "plain"), canChunk: true, isShort: true }],
  },
  {
    name: "undici",
    on: "cannot: `UND_ERR_NOT_SUPPORTED`",
    off: "as it is",
    modes: [{ name: "undici request", start: node("undici", "plain"), canChunk: true, isShort: true }],
  },
  {
    name: "@aws-sdk/client-s3",
    on: "by itself for a body of 2 MiB and more; it does not wait where it has an `httpAgent` of yours",
    off: "`new S3Client({ expectContinueHeader: false })`",
    modes: [
      { name: "client-s3", start: aws("default"), sends: "by itself", isShort: true },
      { name: "client-s3 with an own httpAgent", start: aws("own-agent"), sends: "by itself" },
      { name: "client-s3 with expectContinueHeader: false", start: aws("off"), isShort: true },
    ],
  },
];
