import { once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";
import { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import * as tls from "node:tls";
import { afterEach, describe, expect, test } from "@jest/globals";
import { UploadError, upload } from "../../src/client/client.js";
import { CONTINUE, response } from "../../src/testing/misbehave/served.js";
import { BEHAVIOUR_NAMES, type BehaviourName } from "../../src/testing/testing.js";
import { TEST_CERT, TEST_KEY } from "../helpers/certificate.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { closeServers, listen, start, store } from "../helpers/servers.js";
import { closeMisbehaving, put, startMisbehaving } from "../helpers/uploads.js";

expectNothingDeadly();
afterEach(async () => {
  await closeServers();
  await closeMisbehaving();
});

const IDLE_MS = 2_500;
const LARGE = Buffer.alloc(4 * 2 ** 20, "upload ");

const none = { sentBytes: 0 };
const stored = { status: 201, sentBytes: LARGE.length, attempts: 1, isComplete: true };

/** What comes of an upload of 4 MiB to each server that misbehaves: the result, or an error. */
const EXPECTED: Record<BehaviourName, object> = {
  "no-continue": { ...stored, wasContinued: false },
  "late-continue": { ...stored, wasContinued: false },
  "blind-continue": { status: 413, isComplete: true, attempts: 1 },
  "double-continue": { ...stored, wasContinued: true },
  "continue-after-final": { ...none, status: 413, isComplete: true, wasContinued: false },
  "other-interims": { ...stored, wasContinued: true },
  "refuse-and-keep": { ...none, status: 403, isComplete: true },
  "refuse-and-reset": { ...none, status: 413, isComplete: true },
  "refuse-in-body": { status: 413, isComplete: true, wasContinued: true },
  "refuse-in-body-and-reset": { status: 413, isComplete: true, wasContinued: true },
  "refuse-after-content": { status: 415, isComplete: true, sentBytes: LARGE.length },
  "expectation-failed": { ...stored, attempts: 2, wasContinued: false },
  "expectation-failed-and-keep": { ...stored, attempts: 2, wasContinued: false },
  "bad-gateway": { ...none, status: 502, attempts: 1 },
  "early-success": { ...none, status: 200, attempts: 1 },
  "no-answer": { ...none, code: "ERR_UPLOAD_CONNECTION", attempts: 1 },
  reset: { ...none, code: "ERR_UPLOAD_CONNECTION", attempts: 1 },
  silence: { code: "ERR_UPLOAD_TIMEOUT" },
  "no-final": { code: "ERR_UPLOAD_TIMEOUT", sentBytes: LARGE.length },
  "no-reading": { code: "ERR_UPLOAD_TIMEOUT" },
  "cut-off": { ...none, status: 403, isComplete: false },
  malformed: { ...none, code: "ERR_UPLOAD_RESPONSE" },
  "not-found": { ...none, status: 404 },
  "method-not-allowed": { ...none, status: 405 },
  unauthorized: { ...none, status: 401 },
  forbidden: { ...none, status: 403 },
  redirect: { ...none, status: 301 },
  "bad-request": { ...none, status: 400 },
  "server-error": { ...none, status: 500 },
  "unknown-status": { ...none, status: 999 },
  "success-to-all": { ...none, status: 201 },
  "conflicting-lengths": { ...none, code: "ERR_UPLOAD_RESPONSE" },
  "endless-interims": { code: "ERR_UPLOAD_RESPONSE" },
  "endless-responses": { ...none, status: 403 },
  "endless-head": { ...none, code: "ERR_UPLOAD_RESPONSE" },
  "endless-content": { ...none, status: 403 },
  "switching-protocols": { ...none, code: "ERR_UPLOAD_CONNECTION" },
  "continue-to-http10": { ...stored, wasContinued: true },
  "continue-to-all": { ...stored, wasContinued: true },
  "ignores-unknown": { ...stored, wasContinued: true },
};

describe("a server that misbehaves:", () => {
  test.concurrent.each(BEHAVIOUR_NAMES)("%s", async (name) => {
    const { url, heads } = await startMisbehaving(name);
    const options = { body: LARGE, idleTimeoutMs: IDLE_MS };
    const result = await upload(url, options).catch((error: unknown) => error);
    if ("code" in EXPECTED[name]) expect(result).toBeInstanceOf(UploadError);
    expect(result).toMatchObject(EXPECTED[name]);
    const expected = name.startsWith("expectation-failed") ? ["100-continue", undefined] : ["100-continue"];
    expect(heads.map((head) => head.expect)).toEqual(expected);
  });
});

/** A body whose pieces come from timers, and so in the middle of anything. */
function trickle() {
  return Readable.from(
    (async function* () {
      for (let i = 0; i < 512; i++) {
        if (i % 8 === 0) await setTimeout(1);
        yield Buffer.alloc(16_384);
      }
    })(),
    { objectMode: false },
  );
}

test("a refusal that arrived before the connection broke is never lost", async () => {
  const { url } = await startMisbehaving("refuse-in-body-and-reset");
  for (let i = 0; i < 40; i++) {
    expect(await upload(url, { body: trickle() })).toMatchObject({ status: 413, isComplete: true });
  }
});

test("nor over TLS", async () => {
  const server = net.createServer((raw) => {
    const socket = new tls.TLSSocket(raw, { isServer: true, key: TEST_KEY, cert: TEST_CERT });
    for (const each of [raw, socket]) each.on("error", () => {});
    socket.once("data", () => {
      socket.write(CONTINUE);
      socket.once("data", () => {
        socket.pause();
        socket.write(response("413 Content Too Large", ["Connection: close"]), () => raw.resetAndDestroy());
      });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  for (let i = 0; i < 20; i++) {
    const result = await upload(`https://127.0.0.1:${port}/`, { body: trickle(), tls: { rejectUnauthorized: false } });
    expect(result).toMatchObject({ status: 413, isComplete: true });
  }
  server.close();
});

test.each(["refuse-and-keep", "expectation-failed-and-keep", "blind-continue", "early-success"] as const)(
  "no request follows on a connection after an early final status: %s",
  async (name) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const served = await startMisbehaving(name);
    for (let i = 0; i < 3; i++) {
      const result = await upload(served.url, { body: "upload", agent });
      expect(result.status).toBe(
        { "refuse-and-keep": 403, "blind-continue": 413, "early-success": 200 }[name as string] ?? 201,
      );
    }
    // A server that keeps a refused connection takes what follows for the content, and so would not see a request.
    expect(served.heads.filter(({ expect: value }) => value !== undefined)).toHaveLength(3);
    agent.destroy();
  },
);

test("a refusal of a body that is on its way stops it", async () => {
  const server = await listen(
    http.createServer((req, res) => {
      req.once("data", () => res.writeHead(413, { Connection: "keep-alive" }).end("too large"));
    }),
  );
  const agent = new http.Agent({ keepAlive: true });
  const result = await put(server, "/", { body: Buffer.alloc(64 * 2 ** 20), agent });
  expect(result).toMatchObject({ status: 413, isComplete: true });
  expect(result.body.toString()).toBe("too large");
  expect(result.sentBytes).toBeLessThan(64 * 2 ** 20);
  expect(Object.keys(agent.freeSockets)).toEqual([]);
  agent.destroy();
});

test("a response that is longer than asked for is cut off", async () => {
  const server = await listen(
    http.createServer((req, res) => void req.resume().on("end", () => res.end("x".repeat(100_000)))),
  );
  const result = await put(server, "/", { body: "upload", maxResponseBytes: 50_000 });
  expect(result).toMatchObject({ status: 200, isComplete: false });
  expect(result.body.length).toBeLessThanOrEqual(50_000);
});

test("nobody listens: an error that names the server", async () => {
  const { url, close } = await startMisbehaving();
  await close();
  await expect(upload(url, { body: "upload" })).rejects.toMatchObject({
    name: "UploadError",
    code: "ERR_UPLOAD_CONNECT",
    message: expect.stringMatching(/^no connection with 127\.0\.0\.1:\d+: connect ECONNREFUSED/),
    sentBytes: 0,
    attempts: 1,
    cause: expect.objectContaining({ code: "ECONNREFUSED" }),
  });
});

test("a server that changes the protocol: an error", async () => {
  const { url } = await startMisbehaving((served) => {
    served.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n");
    return served.reader.end().then(() => true);
  });
  await expect(upload(url, { body: "upload" })).rejects.toMatchObject({ code: "ERR_UPLOAD_CONNECTION", sentBytes: 0 });
});

test("options for TLS that are wrong: an error, and nothing is left", async () => {
  const tls = { cert: "no certificate" };
  await expect(upload("https://127.0.0.1:1/", { body: "upload", tls })).rejects.toMatchObject({
    code: "ERR_EXPECT_OPTION",
  });
});

test("a certificate that does not hold: an error, and no request", async () => {
  const server = await start("node:https", { routes: { "/": store } });
  await expect(put(server, "/", { body: "upload", tls: {} })).rejects.toMatchObject({
    code: "ERR_UPLOAD_CONNECT",
    message: expect.stringContaining("self-signed certificate"),
  });
});
