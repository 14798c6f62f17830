import { once } from "node:events";
import * as net from "node:net";
import { afterEach, describe, expect, test } from "@jest/globals";
import { drain, isDraining, silent } from "../../src/index.js";
import { deferred } from "../helpers/deferred.js";
import { pendingOn, serve } from "../helpers/leaving.js";
import {
  closeServers,
  countConnections,
  type Handler,
  isTlsKind,
  recordingLogger,
  startAttached,
} from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { CHUNKED, PLAIN, UPLOAD, WireClient } from "../helpers/wire.js";

afterEach(closeServers);

// Connect and Express 4 use the same server.
const KINDS = ["node:http", "node:https", "http2 allowHTTP1", "Express 5"] as const;

const GET = "GET /next HTTP/1.1\r\nHost: test\r\n\r\n";

describe.each(KINDS)("%s", (kind) => {
  test("an upload under way finishes, new ones get 503 until then, and the server closes", async () => {
    const { server, connect } = await serve(kind);
    const early = await connect();
    early.send(UPLOAD);
    await early.status(100);
    const drained = drain(server);
    expect(isDraining(server)).toBe(true);
    for (const head of [UPLOAD, PLAIN, CHUNKED]) {
      const late = await connect();
      late.send(head);
      expect(await late.final()).toMatchObject({ status: 503, headers: { connection: "close", "retry-after": "1" } });
      expect(late.statuses).toEqual([503]);
      await late.closed();
    }
    early.send("12345");
    expect(await early.final()).toMatchObject({ status: 201, headers: { connection: "close" }, body: "stored 5" });
    await early.closed();
    expect(await drained).toEqual({ refusedUploads: 3, cutConnections: 0 });
    expect(server.listening).toBe(false);
    expect(await countConnections(server)).toBe(0);
    expect(isDraining(server)).toBe(false);
  });

  test.each([
    [true, [100, 201]],
    [false, [413]],
  ])("a handshake that is pending is decided (%s)", async (isAccepted, statuses) => {
    const { server, verdict, connect } = await serve(kind);
    const wire = await connect();
    wire.send(UPLOAD.replace("/files", "/judged"));
    await pendingOn(server);
    const drained = drain(server);
    verdict.resolve(isAccepted);
    if (isAccepted) {
      await wire.status(100);
      wire.send("12345");
    }
    await wire.final();
    await wire.closed();
    expect(wire.statuses).toEqual(statuses);
    expect(await drained).toEqual({ refusedUploads: 0, cutConnections: 0 });
  });

  test("a request that waits behind a pending handshake is served as one that came in time", async () => {
    const { server, verdict, connect } = await serve(kind);
    const wire = await connect();
    wire.send(UPLOAD.replace("/files", "/judged").replace("Expect: 100-continue\r\n", ""), "12345", PLAIN, "12345");
    await pendingOn(server, 2);
    const drained = drain(server);
    verdict.resolve(true);
    await wire.final(2);
    await wire.closed();
    expect(wire.finals).toMatchObject([{ status: 201 }, { status: 201, headers: { connection: "close" } }]);
    await drained;
  });

  test("a request without content is answered, and ends its connection", async () => {
    const { server, connect } = await serve(kind);
    const early = await connect();
    const other = await connect();
    early.send(UPLOAD);
    await early.status(100);
    other.send(GET);
    expect((await other.final()).headers.connection).not.toBe("close");
    const drained = drain(server);
    other.send(GET);
    expect(await other.final(2)).toMatchObject({ status: 200, headers: { connection: "close" } });
    await other.closed();
    early.send("12345");
    await early.final();
    await drained;
  });

  test("while it is announced, uploads are accepted, and their connections end", async () => {
    const { server, connect } = await serve(kind);
    const drained = drain(server, { announceMs: 60_000 });
    const wire = await connect();
    wire.send(UPLOAD);
    await wire.status(100);
    wire.send("12345");
    expect(await wire.final()).toMatchObject({ status: 201, headers: { connection: "close" } });
    server.close();
    expect(await drained).toEqual({ refusedUploads: 0, cutConnections: 0 });
  });

  test("idle connections do not delay it: one that was used, and those that have not sent a byte", async () => {
    const { server, port, connect } = await serve(kind);
    const used = await connect();
    used.send(GET);
    await used.final();
    const silentOne = await connect();
    // On a server with TLS, its handshake does not begin.
    const bare = net.connect(port, "127.0.0.1");
    const bareEnd = once(
      bare.resume().on("error", () => {}),
      "close",
    );
    await until("all are there", async () => (await countConnections(server)) === 3);
    expect(await drain(server)).toEqual({ refusedUploads: 0, cutConnections: 0 });
    await used.fin();
    await silentOne.fin();
    await bareEnd;
  });

  test("when the time is over, uploads under way get 503, and everything else ends", async () => {
    const logger = recordingLogger();
    const { server, responses, connect } = await serve(kind, { logger });
    const [upload, pending, download, half] = await Promise.all([connect(), connect(), connect(), connect()]);
    upload.send(UPLOAD);
    await upload.status(100);
    upload.send("1");
    pending.send(UPLOAD.replace("/files", "/judged"));
    download.send(GET.replace("/next", "/slow"));
    half.send("PUT /files HT");
    await until("all are there", () => responses.length === 1);
    await pendingOn(server, 2);
    const drained = drain(server, { timeoutMs: 100 });
    for (const wire of [upload, pending]) {
      expect(await wire.status(503)).toMatchObject({ headers: { connection: "close" } });
      await wire.closed();
    }
    await download.fin();
    await half.fin();
    expect(pending.statuses).toEqual([503]);
    expect(await drained).toEqual({ refusedUploads: 0, cutConnections: 4 });
    expect(logger.records.map(({ details }) => details.policy)).toEqual(["drain", "drain"]);
  });

  test("with keepListening: false, it stops listening at once, and serves the connections that are there", async () => {
    const { server, port, connect } = await serve(kind);
    const [early, fresh] = [await connect(), await connect()];
    early.send(UPLOAD);
    await early.status(100);
    await until("both are there", async () => (await countConnections(server)) === 2);
    const drained = drain(server, { keepListening: false, announceMs: 2_000 });
    const [error] = (await once(net.connect(port, "127.0.0.1"), "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNREFUSED");
    for (const wire of [fresh, early]) {
      if (wire === fresh) wire.send(UPLOAD);
      await wire.status(100);
      wire.send("12345");
      expect(await wire.final()).toMatchObject({ status: 201, headers: { connection: "close" } });
      await wire.closed();
    }
    expect(await drained).toEqual({ refusedUploads: 0, cutConnections: 0 });
  });

  test("an upload that the application has answered early is read to its end", async () => {
    const read = deferred<number>();
    const early: Handler = (req, res) => {
      let length = 0;
      req.on("data", (chunk: Buffer) => {
        if (length === 0) res.end("early");
        length += chunk.length;
      });
      req.on("end", () => read.resolve(length));
      req.on("error", () => read.resolve(-1));
    };
    const running = await startAttached(kind, { routes: { "/files": early } }, { logger: silent });
    const wire = await WireClient.connect(running.port, { tls: isTlsKind(kind) });
    wire.send(UPLOAD);
    await wire.status(100);
    const drained = drain(running.server);
    wire.send("1");
    await wire.final();
    wire.send("2345");
    expect(await read.promise).toBe(5);
    await wire.fin();
    wire.socket.end();
    await drained;
  });
});
