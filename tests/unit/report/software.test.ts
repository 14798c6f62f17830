import { describe, expect, test } from "@jest/globals";
import { softwareOf } from "../../../src/report/software.js";
import { SUSPECTS } from "../../../src/report/suspects/suspects.js";

// What the clients send, but for the end of long ones.
const USER_AGENTS: readonly (readonly [userAgent: string, label: string, suspect?: string])[] = [
  ["curl/7.88.1", "curl 7.88", "curl"],
  ["curl/8.14.1-DEV", "curl 8.14", "curl"],
  ["libcurl/7.88.1 OpenSSL/3.0.9", "curl 7.88", "curl"],
  ["PycURL/7.45.2 libcurl/7.88.1", "PycURL 7.45", "curl"],
  ["git/2.39.2", "git 2.39", "curl"],
  ["Symfony HttpClient (Curl)", "Symfony HttpClient (curl)", "curl"],
  ["Symfony HttpClient (Native)", "Symfony HttpClient"],
  ["GuzzleHttp/7", "Guzzle 7", "guzzle"],
  ["GuzzleHttp/6.5.5 curl/7.68.0 PHP/7.4.3", "Guzzle 6.5", "guzzle"],
  ["aws-cli/2.9.19 Python/3.11.2 Linux/6.1.0 source/x86_64.debian.12 prompt/off command/s3.cp", "AWS CLI 2.9", "boto"],
  ["Boto3/1.26.27 Python/3.11.2 Linux/6.1.0-9-amd64 Botocore/1.29.27", "Boto3 1.26", "boto"],
  ["Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1 os/linux#6.18 lang/python#3.11.7", "Boto3 1.43", "boto"],
  ["Botocore/1.29.27 Python/3.11.2", "Botocore 1.29", "boto"],
  ["aws-sdk-js/3.658.1 ua/2.0 os/linux#6.1.0 lang/js md/nodejs#20.20.2 api/s3#3.658.1", "aws-sdk-js 3", "aws-sdk-js"],
  ["aws-sdk-nodejs/2.1691.0 linux/v20.20.2 promise", "aws-sdk-js 2", "aws-sdk-js-2"],
  [
    "aws-sdk-java/2.25.16 Linux/6.1.0 OpenJDK_64-Bit_Server_VM/17.0.15 Java/17.0.15",
    "aws-sdk-java 2.25",
    "aws-sdk-java",
  ],
  ["aws-sdk-java/1.12.400 Linux/6.1.0", "aws-sdk-java 1.12", "aws-sdk-java"],
  ["aws-sdk-dotnet-coreclr/3.7.9.21 aws-sdk-dotnet-core/3.7.12.4 .NET_Core/6.0.8", "aws-sdk-net 3.7", "aws-sdk-net"],
  ["aws-sdk-go/1.44.150 (go1.19.3; linux; amd64) S3Manager", "aws-sdk-go 1.44", "aws-sdk-go"],
  ["aws-sdk-go-v2/1.17.1 os/linux lang/go/1.19.3 md/GOOS/linux", "aws-sdk-go-v2 1.17", "aws-sdk-go"],
  ["aws-sdk-php/3.257.4 OS/Linux/6.1 lang/php/8.2.36 GuzzleHttp/7", "aws-sdk-php 3.257", "aws-sdk-php"],
  ["aws-sdk-ruby3/3.171.0 ruby/3.1.2 x86_64-linux aws-sdk-s3/1.120.0", "aws-sdk-ruby 3.171", "ruby"],
  ["aws-sdk-rust/1.3.1 os/linux lang/rust/1.80.0", "aws-sdk-rust"],
  ["MinIO (linux; amd64) minio-go/v7.0.43", "MinIO go"],
  ["rclone/v1.60.1-DEV", "rclone 1.60", "go"],
  ["Java-http-client/17.0.15", "Java 17 HttpClient", "java-http-client"],
  ["Java/17.0.15", "Java 17 HttpURLConnection", "java-url-connection"],
  ["Java/1.8.0_352", "Java 8 HttpURLConnection", "java-url-connection"],
  ["Apache-HttpClient/4.5.13 (Java/17.0.15)", "Apache HttpClient 4.5", "apache-http-client"],
  ["Apache-HttpAsyncClient/5.2.1 (Java/17.0.15)", "Apache HttpClient 5.2", "apache-http-client"],
  ["Apache-HttpClient/UNAVAILABLE (Java/1.8.0_352)", "Apache HttpClient", "apache-http-client"],
  ["okhttp/4.12.0", "OkHttp 4.12", "okhttp"],
  ["ReactorNetty/1.1.5", "Reactor Netty 1.1"],
  ["Go-http-client/1.1", "Go http 1.1", "go"],
  ["Go-http-client/2.0", "Go http 2.0", "go"],
  ["go-resty/2.7.0 (https://github.com/go-resty/resty)", "Resty 2.7", "go"],
  ["python-requests/2.28.1", "requests 2.28", "python"],
  ["python-urllib3/1.26.12", "urllib3 1.26", "python"],
  ["python-httpx/0.23.3", "httpx 0.23", "python"],
  ["Python-urllib/3.11", "Python 3.11 urllib", "python"],
  ["Python/3.11 aiohttp/3.8.4", "aiohttp 3.8", "aiohttp"],
  ["Tornado/6.2", "Tornado 6.2", "tornado"],
  ["Ruby", "Ruby Net::HTTP", "ruby"],
  ["Faraday v2.7.1", "Faraday 2.7", "ruby"],
  ["rest-client/2.1.0 (linux x86_64) ruby/3.1.2p20", "rest-client 2.1", "ruby"],
  ["libwww-perl/6.67", "LWP 6.67", "lwp"],
  ["lwp-request/6.61 libwww-perl/6.67", "LWP 6.67", "lwp"],
  ["HTTP-Tiny/0.082", "HTTP::Tiny 0.082"],
  ["Wget/1.21.3", "Wget 1.21", "wget"],
  ["RestSharp/108.0.3.0", "RestSharp 108", "dotnet"],
  ["Mozilla/5.0 (Windows NT; Windows NT 10.0; de-DE) WindowsPowerShell/5.1.19041.2364", "PowerShell 5.1", "dotnet"],
  ["axios/1.6.0", "axios 1.6", "node"],
  ["got (https://github.com/sindresorhus/got)", "got", "node"],
  ["node-fetch", "node-fetch", "node"],
  ["node", "Node fetch", "node"],
  ["undici", "Node fetch", "node"],
  ["AmazonAPIGateway_a1b2c3d4e5", "Amazon API Gateway", "gateway"],
  ["Synapse-PT-HttpComponents-NIO", "WSO2", "gateway"],
  ["nginx/1.22.1", "nginx 1.22", "nginx"],
  ["HAProxy/2.6", "HAProxy 2.6", "haproxy"],
  ["squid/5.7", "Squid 5.7", "squid"],
  ["Varnish", "Varnish", "varnish"],
  [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Chrome 142",
  ],
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
    "Edge 142",
  ],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0", "Firefox 144"],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "Safari 18",
  ],
  ["", "(no User-Agent)", "unnamed"],
  ["HTTPie/3.2.1", "HTTPie 3.2"],
  ["PostmanRuntime/7.32.3", "PostmanRuntime 7.32"],
  ["backup agent (nightly)", "backup"],
  ["my-curl-wrapper/2.0", "my-curl-wrapper 2.0"],
  ["engine/v12-beta", "engine 12"],
  ["/1.0", "1.0"],
  ["   ", "(other)"],
];

test.each(USER_AGENTS.map(([userAgent, label, suspect]) => ({ userAgent, label, suspect })))(
  "$userAgent is $label",
  ({ userAgent, label, suspect }) => {
    expect(softwareOf(userAgent)).toEqual(suspect === undefined ? { label } : { label, suspect });
  },
);

test("a family is found in linear time", () => {
  for (const hostile of [
    "aws-sdk-net-".repeat(5_000),
    "1".repeat(60_000),
    `Version/1 ${"Mobile/a ".repeat(7_000)}`,
    "/".repeat(60_000),
  ]) {
    const begun = performance.now();
    softwareOf(hostile);
    expect(performance.now() - begun).toBeLessThan(500);
  }
});

test("the name of unknown software is cut", () => {
  expect(softwareOf(`${"x".repeat(1_000)}/1.2.3`).label).toBe(`${"x".repeat(40)} 1.2`);
});

describe("the usual suspects", () => {
  test("have an id each, something that is known, and something to change", () => {
    expect(new Set(SUSPECTS.map(({ id }) => id)).size).toBe(SUSPECTS.length);
    for (const { id, name, known, change, leaveOut = [] } of SUSPECTS) {
      expect({
        id,
        name: name.length > 0,
        known: known.length > 0,
        change: change.length + leaveOut.length > 0,
      }).toEqual({
        id,
        name: true,
        known: true,
        change: true,
      });
    }
  });

  test("are those that software leads to", () => {
    const ids = new Set(SUSPECTS.map(({ id }) => id));
    const led = new Set(USER_AGENTS.flatMap(([, , suspect]) => suspect ?? []));
    expect([...led].filter((id) => !ids.has(id))).toEqual([]);
    expect([...ids].filter((id) => !led.has(id)).sort()).toEqual(["apache-httpd", "caddy"]);
    expect(softwareOf("Caddy/2.6").suspect).toBe("caddy");
    expect(softwareOf("Apache/2.4.71 (Debian)").suspect).toBe("apache-httpd");
  });
});
