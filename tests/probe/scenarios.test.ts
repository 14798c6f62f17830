import * as net from "node:net";
import { PassThrough, Writable } from "node:stream";
import { afterAll, describe, expect, test } from "@jest/globals";
import { main } from "../../src/cli/main.js";
import { codesOf, probeJson, runProbe } from "./command.js";
import { CONTINUE, closePeers, listenRaw, Reader, response, startPeer } from "./peer.js";

afterAll(closePeers);

const CLOSE = "Connection: close";
const AUTHORIZATION = `Basic ${Buffer.from("aladdin:opensesame").toString("base64")}`;
const DEADLINE_MS = 60_000;

/** A forward proxy on raw sockets: passes bytes on, in both directions, once `mayPass` has taken the head. */
function startForwardProxy(mayPass: (head: string, socket: net.Socket) => boolean): ReturnType<typeof listenRaw> {
  return listenRaw(async (socket) => {
    const reader = new Reader(socket);
    const head = await reader.head();
    if (!head) return void socket.end();
    if (!mayPass(head.text, socket)) return void socket.end();
    const isTunnel = head.method === "CONNECT";
    const { hostname, port } = new URL(isTunnel ? `http://${head.target}` : head.target);
    const onward = net.connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    onward.on("error", () => socket.destroy());
    if (isTunnel) socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    else onward.write(head.text.replace(head.target, "/upload"), "latin1");
    socket.removeAllListeners("data");
    onward.write(reader.rest(), "latin1");
    onward.setEncoding("latin1");
    socket.on("data", (text: string) => onward.write(text, "latin1"));
    onward.on("data", (text: string) => socket.write(text, "latin1"));
    socket.on("end", () => onward.end());
    onward.on("end", () => socket.end());
    socket.on("close", () => onward.destroy());
  });
}

async function namesOf(...args: string[]): Promise<{ names: string[]; codes: string[]; headline: string }> {
  const result = await probeJson(...args);
  const names = result.scenarios.map(({ id }) => id);
  return { names, codes: codesOf(result), headline: result.verdict.headline };
}

describe("a well-known trouble is named:", () => {
  test.concurrent(
    "a large PUT fails, because its refusal is lost",
    async () => {
      const { url } = await startPeer((served) => {
        if (served.head.length < 1_000_000 || served.head.isChunked) return false;
        served.socket.write(response("413 Content Too Large", [CLOSE]), () => served.socket.resetAndDestroy());
        return true;
      });
      const { names, codes, headline } = await namesOf("--yes", url);
      expect(codes).toEqual(["refusal-reset"]);
      expect(names).toEqual(["large-put-fails"]);
      expect(headline).toMatch(/^a large PUT fails: /);
    },
    DEADLINE_MS,
  );

  test.concurrent(
    "a curl upload hangs, because nobody sends the 100",
    async () => {
      const { url } = await startPeer(async (served) => {
        if (!served.isHandshake) return false;
        await served.content();
        served.send(response("201 Created"));
        return true;
      });
      const { names, codes } = await namesOf("--yes", "--timeout", "1", url);
      expect(codes).toEqual(["no-continue"]);
      expect(names).toEqual(["curl-upload-hangs"]);
    },
    DEADLINE_MS,
  );

  test.concurrent(
    "a corporate proxy blocks the upload",
    async () => {
      const origin = await startPeer();
      const proxy = await startForwardProxy((head, socket) => {
        if (!/\r\nExpect: /.test(head)) return true;
        socket.write(
          response("417 Expectation Failed", [CLOSE, "Server: squid/3.1.20", "X-Squid-Error: ERR_INVALID_REQ 0"]),
        );
        return false;
      });
      const { names, codes } = await namesOf("--yes", "--proxy", `127.0.0.1:${proxy.port}`, origin.url);
      expect(codes).toContain("proxy-417");
      expect(names).toEqual(expect.arrayContaining(["corporate-proxy-blocks-upload", "client-adds-expect"]));
      expect(names).not.toContain("api-gateway-417");
    },
    DEADLINE_MS,
  );

  test.concurrent(
    "an API gateway returns 417",
    async () => {
      const { url } = await startPeer((served) => {
        if (!served.head.hasContent || served.head.expect === undefined) return false;
        served.end(response("417 Expectation Failed", [CLOSE, "x-amz-apigw-id: abc="]));
        return true;
      });
      const result = await probeJson(url);
      expect(codesOf(result)).toEqual(["proxy-417"]);
      expect(result.scenarios.map(({ id }) => id)).toEqual(["api-gateway-417"]);
      expect(result.target.identified).toContainEqual({
        name: "AWS API Gateway",
        role: "proxy",
        confidence: "stated",
        because: "x-amz-apigw-id: abc=",
      });
    },
    DEADLINE_MS,
  );

  test.concurrent(
    "a client library adds Expect, and the upload fails",
    async () => {
      const { url } = await startPeer((served) => {
        if (!served.isHandshake) return false;
        served.end(response("502 Bad Gateway", [CLOSE]));
        return true;
      });
      const { names, codes } = await namesOf("--yes", url);
      expect(codes).toEqual(["expect-fails"]);
      expect(names).toEqual(["client-adds-expect"]);
    },
    DEADLINE_MS,
  );

  test.concurrent(
    "proxy authentication fails the handshake",
    async () => {
      const origin = await startPeer();
      const proxy = await startForwardProxy((head, socket) => {
        if (head.includes(`\r\nProxy-Authorization: ${AUTHORIZATION}\r\n`)) return true;
        socket.write(
          response("407 Proxy Authentication Required", [
            CLOSE,
            'Proxy-Authenticate: Basic realm="x"',
            "Server: squid/5.7",
          ]),
        );
        return false;
      });
      const address = `127.0.0.1:${proxy.port}`;
      const without = await namesOf("--yes", "--proxy", address, origin.url);
      expect(without.codes).toEqual(["proxy-auth"]);
      expect(without.names).toEqual(["proxy-auth-fails-handshake"]);
      const wrong = await namesOf("--yes", "--proxy", address, "--proxy-user", "aladdin:wrong", origin.url);
      expect(wrong.codes).toEqual(["auth-loop"]);
      expect(wrong.names).toEqual(["proxy-auth-fails-handshake"]);
      const right = await probeJson("--yes", "--proxy", address, "--proxy-user", "aladdin:opensesame", origin.url);
      expect(codesOf(right)).toEqual([]);
      expect(JSON.stringify(right)).not.toMatch(/opensesame|aladdin|YWxhZGRpb/);
      expect(origin.heads.length).toBeGreaterThan(10);
    },
    DEADLINE_MS,
  );
});

describe("a tunnel through the forward proxy", () => {
  test("that it refuses with 407 is a finding", async () => {
    const proxy = await startForwardProxy((_, socket) => {
      socket.write(response("407 Proxy Authentication Required", ['Proxy-Authenticate: Basic realm="x"']));
      return false;
    });
    const result = await probeJson("--proxy", `127.0.0.1:${proxy.port}`, "https://origin.invalid/upload");
    expect(codesOf(result)).toEqual(["proxy-auth"]);
    expect(result.verdict.exitCode).toBe(1);
    expect(result.scenarios.map(({ id }) => id)).toEqual(["proxy-auth-fails-handshake"]);
  });

  test("that it refuses otherwise leaves the endpoint unreachable", async () => {
    const proxy = await startForwardProxy((_, socket) => {
      socket.write(response("403 Forbidden", ["Server: squid/5.7"]));
      return false;
    });
    const { code, stdout } = await runProbe(["--proxy", `127.0.0.1:${proxy.port}`, "https://origin.invalid/upload"]);
    expect(code).toBe(3);
    expect(stdout).toContain("refused the tunnel to origin.invalid:443: HTTP/1.1 403 Forbidden (Server: squid/5.7)");
  });

  test("that it refuses with the credentials in its answer does not get them into the output", async () => {
    const proxy = await startForwardProxy((head, socket) => {
      const sent = /Proxy-Authorization: (.*)\r/.exec(head)?.[1] ?? "";
      expect(sent).toBe(AUTHORIZATION);
      socket.write(response(`403 ${sent} aladdin opensesame`, [`Server: ${sent}`]));
      return false;
    });
    for (const format of [[], ["--json"]]) {
      const args = [...format, "--proxy", `http://aladdin:opensesame@127.0.0.1:${proxy.port}`];
      const { code, stdout } = await runProbe([...args, "https://origin.invalid/upload"]);
      expect(code).toBe(3);
      expect(stdout).toContain("403 [hidden]");
      expect(stdout).not.toMatch(/opensesame|aladdin|YWxhZGRpb/);
    }
  });

  test("carries the handshake with a server on TLS", async () => {
    const { startAttached, closeServers, store } = await import("../helpers/servers.js");
    const { silent } = await import("../../src/index.js");
    const { port } = await startAttached("http2 allowHTTP1", { routes: { "/upload": store } }, { logger: silent });
    const proxy = await startForwardProxy(() => true);
    const args = ["--yes", "--insecure", "--proxy", `127.0.0.1:${proxy.port}`, "--only", "plain,withheld,sent,h2"];
    const result = await probeJson(...args, `https://127.0.0.1:${port}/upload`);
    await closeServers();
    expect(codesOf(result)).toEqual([]);
    const verdicts = result.target.exchanges.map(({ id, summary }) => [id, summary.verdict, summary.status]);
    expect(verdicts).toEqual([
      ["plain", "final", 201],
      ["withheld", "continue", undefined],
      ["sent", "continue", 201],
      ["h2", "continue", 201],
    ]);
  });
});

test("a second URL that cannot be reached is said, and ends with 3", async () => {
  const { url } = await startPeer();
  const gone = await listenRaw(() => {});
  await gone.close();
  const { code, stdout } = await runProbe(["--only", "plain,withheld", "--via", gone.url, url]);
  expect(code).toBe(3);
  expect(stdout).toMatch(/^UNREACHABLE {2}--via: 127\.0\.0\.1:\d+ refuses the connection/);
});

test("the report begins with the verdict and has each cause with its best fix, then the other fixes, then the exchanges", async () => {
  const { url } = await startPeer(async (served) => {
    if (!served.isHandshake) return false;
    served.send(CONTINUE, CONTINUE);
    await served.content();
    served.send(response("201 Created"));
    return true;
  });
  const { code, stdout } = await runProbe(["--yes", url]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^FINDINGS {2}two 100 Continue for one request\n/);
  expect(stdout).toMatch(/\n {2}✗ withheld {7}100 after [\d.]+ ms, 100 after [\d.]+ ms, content withheld\n/);
  expect(stdout).toMatch(/\n {2}✓ plain {10}200 after [\d.]+ ms\n/);
  expect(stdout).not.toContain("→ Expect: 100-continue");
  const places = ["FINDINGS", "error two 100", "Fix, on the server", "Other fixes", "Exchanges: ", "--verbose shows"];
  const found = places.map((text) => stdout.indexOf(text));
  expect(found).toEqual(found.filter((at) => at >= 0).sort((a, b) => a - b));
  // No proxy was seen, so that none has a configuration to change.
  expect(stdout.slice(stdout.indexOf("Fix, "))).not.toMatch(/caddy|nginx|haproxy|forward_auth/i);
  const { stdout: verbose } = await runProbe(["--yes", "--verbose", url]);
  expect(verbose).toMatch(/\n {14}→ Expect: 100-continue\n/);
});

test("the report shows both exchanges where a finding compares them", async () => {
  const { url } = await startPeer((served) => {
    if (!served.isHandshake) return false;
    served.end(response("502 Bad Gateway", [CLOSE]));
    return true;
  });
  const { stdout } = await runProbe(["--yes", "--verbose", url]);
  expect(stdout).toContain("[expect-fails]");
  expect(stdout).toMatch(/\n {2}control:\n/);
  expect(stdout).toMatch(/\n {2}withheld:\n/);
});

test("a reader of the report that has gone is nothing to complain about", async () => {
  const { url } = await startPeer(() => false);
  const stdout = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error("broken pipe"), { code: "EPIPE" })),
  });
  const stderr = new PassThrough();
  const terminal = { stdin: new PassThrough(), stdout, stderr, env: {} };
  expect(await main(["probe", "--only", "plain", url], terminal)).toBe(0);
  expect(stderr.read()).toBeNull();
});
