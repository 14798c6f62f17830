import { readFileSync, writeFileSync } from "node:fs";
import * as http2 from "node:http2";
import type * as net from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import * as tls from "node:tls";
import { afterAll, describe, expect, test } from "@jest/globals";
import { main } from "../../src/cli/main.js";
import { TEST_CERT, TEST_KEY } from "../helpers/certificate.js";
import { probeJson, runProbe } from "./command.js";
import { CONTINUE, closePeers, listenRaw, response, startPeer } from "./peer.js";

afterAll(closePeers);

const CLOSE = "Connection: close";
const FEW = ["--only", "plain,withheld"];

function terminalWith(stdout: Writable, env = {}) {
  return { stdin: new PassThrough(), stdout, stderr: new PassThrough().setEncoding("utf8"), env, argv: process.argv };
}

describe("statuses that are meant", () => {
  const refusing = () =>
    startPeer((served) => {
      if (!served.head.hasContent) return false;
      served.end(response("401 Unauthorized", [CLOSE, 'WWW-Authenticate: Basic realm="x"']));
      return true;
    });

  test.concurrent("are healthy, and no others are", async () => {
    const { url } = await refusing();
    expect((await runProbe([...FEW, url])).code).toBe(1);
    expect((await runProbe([...FEW, "--expect-status", "401", url])).code).toBe(0);
    const { code, stdout } = await runProbe([...FEW, "--expect-status", "413,415", url]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FINDINGS {2}the upload gets 401, which is not the status that is meant/);
  });
});

describe("a proxy that is known to send the 100 itself", () => {
  test.concurrent("is named without --origin", async () => {
    const { url } = await startPeer((served) => {
      if (!served.head.hasContent) served.send(response("200 OK", ["Server: nginx/1.22.1"]));
      else if (served.isFor("100-continue")) served.send(CONTINUE);
      else return false;
      return true;
    });
    const { code, stdout } = await runProbe(["--only", "plain,withheld,large", url]);
    expect(code).toBe(1);
    expect(stdout).toContain("the 100 comes from the proxy");
    expect(stdout.replace(/\s+/g, " ")).toContain("nginx (server: nginx/1.22.1) is known to send the 100 itself");
    expect(stdout).toMatch(/Fix, on the proxy: nginx/);
  });
});

describe("redirects", () => {
  test.concurrent("are named, followed with --location, and lose the credentials at another origin", async () => {
    const there = await startPeer();
    const here = await startPeer((served) => {
      served.end(response("307 Temporary Redirect", [CLOSE, `Location: ${there.url}?key=value`]));
      return true;
    });
    const args = [...FEW, "--user", "aladdin:opensesame", "-H", "X-Auth: opensesame", "-H", "Content-Type: image/png"];
    const without = await probeJson(...args, here.url);
    expect(without.findings.map(({ code }) => code)).toEqual(["redirected"]);
    expect(without.findings[0]?.cause).toContain(there.url);
    const { code, stderr } = await runProbe([...args, "--location", here.url]);
    expect(code).toBe(0);
    expect(stderr).toBe(`redirected to ${there.url}?key=[hidden]\n`);
    expect(there.heads.map(({ target }) => target)).toContain("/upload?key=value");
    for (const { text } of there.heads) expect(text).not.toMatch(/opensesame|Authorization/);
    expect(there.heads.at(-1)?.text).toContain("Content-Type: image/png");
  });

  test.concurrent("that never end are left", async () => {
    const { url } = await startPeer((served) => {
      served.end(response("302 Found", [CLOSE, "Location: /upload"]));
      return true;
    });
    const { code, stderr } = await runProbe([...FEW, "--location", url]);
    expect(code).toBe(3);
    expect(stderr).toContain("more than 10 redirects");
  });
});

test.concurrent("--har writes an archive without credentials", async () => {
  const { url } = await startPeer();
  const file = join(tmpdir(), `probe-${process.pid}.har`);
  await runProbe([...FEW, "--user", "aladdin:opensesame", "--har", file, url]);
  const text = readFileSync(file, "utf8");
  expect(text).not.toMatch(/opensesame|YWxhZGRpb/);
  const { log } = JSON.parse(text);
  expect(log.version).toBe("1.2");
  expect(log.entries).toHaveLength(2);
  expect(log.entries[1].request.headers).toContainEqual({ name: "Expect", value: "100-continue" });
  expect(log.entries[1].comment).toMatch(/^withheld: .*; 100 after [\d.]+ ms$/);
});

test.concurrent("--watch probes again until the URL is healthy", async () => {
  let refusals = 2;
  const { url } = await startPeer((served) => {
    if (!served.head.hasContent || refusals === 0) return false;
    refusals--;
    served.end(response("404 Not Found", [CLOSE]));
    return true;
  });
  const { code, stdout, stderr } = await runProbe([...FEW, "--watch", "0.05", url]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^HEALTHY/);
  expect(stderr.match(/^\d\d:\d\d:\d\dZ FINDINGS {2}404/gm)).toHaveLength(2);
});

test("a file that cannot be written ends with 3", async () => {
  const { url } = await startPeer();
  for (const option of ["--html", "--har"]) {
    const { code, stderr } = await runProbe([...FEW, option, "/nonexistent/x", url]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringContaining("/nonexistent/x: there is no such file"),
    });
  }
});

test("a full disk behind standard output is said, and ends with 3", async () => {
  for (const args of [["--help"], ["--version"], ["probe", "--help"]]) {
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error("full"), { code: "ENOSPC" })),
    });
    const terminal = terminalWith(stdout);
    expect(await main(args, terminal)).toBe(3);
    expect(terminal.stderr.read()).toBe("express-expectations: standard output cannot be written to: no space left\n");
  }
});

test("--version prints the version of the package", async () => {
  const { version } = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8"));
  for (const args of [["--version"], ["probe", "--version"]]) {
    const stdout = new PassThrough().setEncoding("utf8");
    expect(await main(args, terminalWith(stdout))).toBe(0);
    expect(stdout.read()).toBe(`express-expectations ${version}\n`);
  }
});

describe("colours", () => {
  const ESCAPE = "\x1b[";
  test.each<[string, string[], Record<string, string>, boolean, boolean]>([
    ["on a terminal", [], {}, true, true],
    ["off a terminal", [], {}, false, false],
    ["with NO_COLOR", [], { NO_COLOR: "1" }, true, false],
    ["with FORCE_COLOR", [], { FORCE_COLOR: "1" }, false, true],
    ["with FORCE_COLOR=0", [], { FORCE_COLOR: "0" }, true, false],
    ["with TERM=dumb", [], { TERM: "dumb" }, true, false],
    ["with --color", ["--color"], { NO_COLOR: "1" }, false, true],
    ["with --no-color", ["--no-color"], { FORCE_COLOR: "1" }, true, false],
  ])("%s", async (_, args, env, isTTY, isColoured) => {
    const { url } = await startPeer();
    const stdout = Object.assign(new PassThrough().setEncoding("utf8"), { isTTY });
    const stderr = Object.assign(new PassThrough().setEncoding("utf8"), { isTTY });
    await main(["probe", "--only", "plain", ...args, url], { stdin: new PassThrough(), stdout, stderr, env });
    expect(String(stdout.read()).includes(ESCAPE)).toBe(isColoured);
    if (env.TERM === "dumb") expect(String(stderr.read() ?? "")).not.toContain(ESCAPE);
  });
});

test("no line is wider than the terminal, but for what is there to be copied", async () => {
  const { url } = await startPeer((served) => {
    if (!served.head.hasContent) return false;
    served.end(response("404 Not Found", [CLOSE]));
    return true;
  });
  const stdout = Object.assign(new PassThrough().setEncoding("utf8"), { columns: 60 });
  await main(["probe", url], terminalWith(stdout));
  const [, ...lines] = String(stdout.read()).split("\n");
  expect(lines.filter((line) => line.length > 60 && !line.startsWith("      "))).toEqual([]);
});

test("what never ends is bounded", async () => {
  const { url } = await listenRaw((socket) => {
    const more = () => {
      while (socket.writable && socket.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".repeat(100)));
    };
    socket.on("drain", more);
    socket.once("data", more);
  });
  const from = process.cpuUsage();
  const { stdout } = await runProbe(["--json", "--timeout", "1", url]);
  expect(process.cpuUsage(from).user).toBeLessThan(5_000_000);
  expect(stdout.length).toBeLessThan(200_000);
  expect(stdout).toContain("more than 6 final responses");
});

test("an answer to CONNECT may come byte by byte", async () => {
  const { url } = await listenRaw((socket) => {
    socket.once("data", () => {
      for (const byte of response("407 Proxy Authentication Required", [CLOSE])) socket.write(byte);
    });
  });
  const result = await probeJson("--proxy", url.replace("/upload", ""), "https://origin.invalid/upload");
  expect(result.findings.map(({ code }) => code)).toEqual(["proxy-auth"]);
});

test("a server that wants a certificate of the client is said to, and gets it", async () => {
  const options = { key: TEST_KEY, cert: TEST_CERT, ca: TEST_CERT, requestCert: true, rejectUnauthorized: true };
  const server = tls.createServer(options, (socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(response("200 OK", [CLOSE])));
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  try {
    const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
    const { code, stdout } = await runProbe(["--insecure", "--only", "plain", url]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/the server wants a certificate of the client; --cert and --key pass one/);
    const [cert, key] = ["cert.pem", "key.pem"].map((name) => join(tmpdir(), `probe-${process.pid}-${name}`)) as [
      string,
      string,
    ];
    writeFileSync(cert, TEST_CERT);
    writeFileSync(key, TEST_KEY);
    const args = ["--cert", cert, "--key", key, "--cacert", cert, "--only", "plain", url];
    expect((await runProbe(args)).code).toBe(0);
  } finally {
    server.close();
  }
});

describe("HTTP/2", () => {
  const served = async (use: (url: string, heads: http2.IncomingHttpHeaders[]) => Promise<void>) => {
    const heads: http2.IncomingHttpHeaders[] = [];
    const server = http2.createSecureServer({ key: TEST_KEY, cert: TEST_CERT, allowHTTP1: true });
    const answer = (req: http2.Http2ServerRequest, res: http2.Http2ServerResponse) => {
      if (req.httpVersionMajor === 2) heads.push(req.headers);
      req.resume();
      res.writeHead(200).end();
    };
    server.on("request", answer).on("checkContinue", answer);
    server.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    try {
      await use(`https://localhost:${(server.address() as net.AddressInfo).port}/upload`, heads);
    } finally {
      server.close();
    }
  };

  test("has the host of -H, and repeated fields", () =>
    served(async (url, heads) => {
      const fields = ["-H", "Host: other.example", "-H", "X-A: 1", "-H", "X-A: 2", "-H", "HTTP2-Settings: x"];
      await probeJson("--insecure", "--only", "h2", ...fields, url);
      expect(heads[0]).toMatchObject({ ":authority": "other.example", "x-a": "1, 2" });
    }));

  test("is left out where it cannot carry the request", () =>
    served(async (url) => {
      const fields = ["-H", "Content-Type: a/b", "-H", "Content-Type: c/d"];
      const result = await probeJson("--insecure", "--only", "h2", ...fields, url);
      expect(result.target.exchanges[0]?.skipped).toContain("HTTP/2 cannot carry this request");
    }));
});

test("nobody is asked about content where nothing listens", async () => {
  const gone = await listenRaw(() => {});
  await gone.close();
  const { code, stderr } = await runProbe([gone.url], { isTTY: true });
  expect(code).toBe(3);
  expect(stderr).not.toContain("Send them?");
});
