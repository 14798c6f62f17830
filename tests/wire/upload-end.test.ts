import { getEventListeners, once } from "node:events";
import * as net from "node:net";
import { Readable } from "node:stream";
import { afterEach, describe, expect, test } from "@jest/globals";
import { type UploadOptions, upload } from "../../src/client/client.js";
import { expectations, silent } from "../../src/index.js";
import { CONTINUE, response } from "../../src/testing/misbehave/served.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { deferred } from "../helpers/deferred.js";
import { closeServers, countConnections, next, start, startAttached, store } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { closeMisbehaving, put, startMisbehaving } from "../helpers/uploads.js";
import { pendingPolicy } from "../helpers/verdict.js";

expectNothingDeadly();
afterEach(async () => {
  await closeServers();
  await closeMisbehaving();
});

const KINDS = ["node:http", "node:https", "h2"] as const;
const ABORTED = { name: "UploadError", code: "ERR_UPLOAD_ABORTED", cause: "not now" };

/** A body that has no end, and tells whether it was ended. */
function endless() {
  const state = { readBytes: 0, isEnded: false };
  async function* pieces() {
    try {
      for (;;) {
        state.readBytes += 16_384;
        yield Buffer.alloc(16_384);
      }
    } finally {
      state.isEnded = true;
    }
  }
  return { state, body: () => Readable.from(pieces(), { objectMode: false }) };
}

describe.each(KINDS)("an upload to %s that is aborted", (kind) => {
  test("before it begins, opens no connection", async () => {
    const server = await start(kind, { routes: { "/": store } });
    const connections: unknown[] = [];
    server.server.on("connection", (socket) => connections.push(socket));
    await expect(put(server, "/", { body: "x", signal: AbortSignal.abort("not now") })).rejects.toMatchObject(ABORTED);
    expect(connections).toEqual([]);
  });

  test("while it waits for the verdict, sends nothing and leaves no connection", async () => {
    const { policy, asked, decide } = pendingPolicy();
    const guard = expectations({ policies: [policy], logger: silent });
    const server = await startAttached(kind, { use: [guard], routes: { "/": store } }, { logger: silent });
    const { state, body } = endless();
    const controller = new AbortController();
    const result = put(server, "/", { body, signal: controller.signal });
    await asked;
    controller.abort("not now");
    await expect(result).rejects.toMatchObject({ ...ABORTED, sentBytes: 0, attempts: 1 });
    expect(state.readBytes).toBe(0);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    decide(true);
    await until("no connection", async () => (await countConnections(server.server)) === 0);
  });

  test("in the middle of its body, reads no more of it", async () => {
    const server = await start(kind, { routes: { "/": store } });
    const { state, body } = endless();
    const controller = new AbortController();
    const onProgress: UploadOptions["onProgress"] = ({ sentBytes }) => {
      if (sentBytes > 1_000_000) controller.abort("not now");
    };
    await expect(put(server, "/", { body, signal: controller.signal, onProgress })).rejects.toMatchObject(ABORTED);
    await until("the body is ended", () => state.isEnded);
    const { readBytes } = state;
    await until("no connection", async () => (await countConnections(server.server)) === 0);
    expect(state.readBytes).toBe(readBytes);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });
});

test("aborted while it connects: no connection is left", async () => {
  const accepted = deferred<net.Socket>();
  // A server of TLS that never says hello.
  const server = net.createServer((socket) => accepted.resolve(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const controller = new AbortController();
  const result = upload(`https://127.0.0.1:${(server.address() as net.AddressInfo).port}/`, {
    body: "upload",
    signal: controller.signal,
  });
  const socket = await accepted.promise;
  const closed = once(socket.resume(), "close");
  controller.abort("not now");
  await expect(result).rejects.toMatchObject(ABORTED);
  await closed;
  server.close();
});

test("aborted in the middle of the response: rejects", async () => {
  const { url } = await startMisbehaving(async (served) => {
    await served.content();
    served.send("HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\nhalf");
    controller.abort("not now");
    await served.reader.end();
    return true;
  });
  const controller = new AbortController();
  await expect(upload(url, { body: "x", expectTimeoutMs: 1, signal: controller.signal })).rejects.toMatchObject(
    ABORTED,
  );
});

test("aborted when it is over: nothing happens", async () => {
  const { url } = await startMisbehaving();
  const controller = new AbortController();
  expect(await upload(url, { body: "upload", signal: controller.signal })).toMatchObject({ status: 201 });
  controller.abort("not now");
});

describe("a callback that throws or rejects ends the upload with its error", () => {
  test.each<[string, UploadOptions]>([
    [
      "onProgress throws",
      {
        onProgress: () => {
          throw new Error("no");
        },
      },
    ],
    ["onProgress rejects", { onProgress: (() => Promise.reject(new Error("no"))) as never }],
    [
      "onInterim throws",
      {
        onInterim: () => {
          throw new Error("no");
        },
      },
    ],
  ])("%s", async (_, options) => {
    const { url } = await startMisbehaving(async (served) => {
      served.send("HTTP/1.1 103 Early Hints\r\n\r\n", CONTINUE);
      await served.content();
      // Late, so that a rejection comes first.
      await served.reader.end();
      return true;
    });
    await expect(upload(url, { body: "upload", ...options })).rejects.toThrow("no");
  });
});

describe("time", () => {
  test.each([
    ["says nothing behind the connection", async () => ({ url: (await silentTls()).url })],
    ["says nothing behind the head of its response", () => startMisbehaving(cutShort)],
  ])("a server that %s: the upload ends", async (name, make) => {
    const { url } = await make();
    const result = await upload(url, { body: "upload", idleTimeoutMs: 200 }).catch((error: unknown) => error);
    if (name.includes("head")) expect(result).toMatchObject({ status: 403, isComplete: false });
    else expect(result).toMatchObject({ code: "ERR_UPLOAD_TIMEOUT", sentBytes: 0 });
  });

  const servers: net.Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function silentTls() {
    const server = net.createServer((socket) => void socket.on("error", () => {}).resume()).listen(0, "127.0.0.1");
    servers.push(server);
    await once(server, "listening");
    return { url: `https://127.0.0.1:${(server.address() as net.AddressInfo).port}/` };
  }

  async function cutShort(served: { send(...texts: string[]): void; readonly reader: { end(): Promise<void> } }) {
    served.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\nhalf");
    await served.reader.end();
    return true;
  }

  test("a server that reads slowly, but reads, is waited for", async () => {
    const { url } = await startMisbehaving(async (served) => {
      served.send(CONTINUE);
      for (let i = 0; i < 6; i++) {
        await served.reader.bytes(100_000);
        served.socket.pause();
        await new Promise((resolve) => setTimeout(resolve, 60));
        served.socket.resume();
      }
      await served.reader.bytes(served.head.length - 600_000);
      served.send(response("201 Created"));
      return true;
    });
    expect(await upload(url, { body: Buffer.alloc(8 * 2 ** 20), idleTimeoutMs: 3_000 })).toMatchObject({ status: 201 });
  });
});

test("many uploads at a time on one agent share nothing", async () => {
  const server = await startAttached("node:http", { routes: { "/files": store, "/next": next } }, { logger: silent });
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, i) => put(server, i % 5 === 0 ? "/nowhere" : "/files", { body: "x".repeat(i + 1) })),
  );
  for (const [i, result] of results.entries()) {
    if (i % 5 === 0) expect(result).toMatchObject({ status: 404, sentBytes: 0 });
    else expect([result.status, result.body.toString()]).toEqual([201, `stored ${i + 1}`]);
  }
});
