import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pipeline } from "node:stream";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type DiskSpaceOptions, diskSpace, expectations, silent } from "../../src/index.js";
import { volumeAt } from "../../src/policies/volume.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  HTTP2_KINDS,
  isTlsKind,
  recordingLogger,
  type ServerKind,
  startAttached,
  store,
} from "../helpers/servers.js";
import { mountSmallDisk } from "../helpers/small-disk.js";
import { until } from "../helpers/until.js";
import { WireClient } from "../helpers/wire.js";

const MIB = 2 ** 20;
const DISK = 8 * MIB;
const disk = mountSmallDisk(DISK);

afterEach(async () => {
  closeSessions();
  await closeServers();
  if (typeof disk === "object") disk.empty();
});
afterAll(() => {
  if (typeof disk === "object") disk.remove();
});

let folders = 0;
let folder = "";

/** Each test has a path of its own, of which nobody knows yet what is free. */
beforeEach(() => {
  folder = path.join(typeof disk === "object" ? disk.folder : os.tmpdir(), `uploads-${process.pid}-${folders++}`);
  fs.mkdirSync(folder);
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

/** Stores the content as a file, as an application would. */
const save: Handler = (req, res) => {
  const file = path.join(folder, `${fs.readdirSync(folder).length}-${Math.random()}`);
  pipeline(req, fs.createWriteStream(file), (error) => {
    if (error) fs.rmSync(file, { force: true });
    res.statusCode = error ? 500 : 201;
    res.end(error ? String(error.message) : "stored");
  });
};

async function serve(kind: ServerKind, options: Partial<DiskSpaceOptions> = {}, files: Handler = save) {
  const logger = recordingLogger();
  const policy = diskSpace({ path: folder, keepFree: MIB, ...options });
  const guard = expectations({ logger, policies: [policy] }) as Handler;
  const server = await startAttached(kind, { use: [guard], routes: { "/files": files } }, { logger: silent });
  const connect = () => WireClient.connect(server.port, { tls: isTlsKind(kind) });
  const ask = async (length: number | undefined) => {
    const wire = await connect();
    const framing = length === undefined ? "Transfer-Encoding: chunked" : `Content-Length: ${length}`;
    wire.send(`PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n${framing}\r\n\r\n`);
    await wire.until("an answer", () => wire.statuses.length > 0);
    return { wire, status: wire.statuses[0] as number };
  };
  return { server, logger, connect, ask, volume: volumeAt(folder) };
}

const content = (length: number) => Buffer.alloc(length, "x");

const suite = typeof disk === "object" ? describe : describe.skip;

suite(`on a disk of 8 MiB${typeof disk === "string" ? ` (skipped: ${disk})` : ""}`, () => {
  describe.each(HTTP1_KINDS)("%s", (kind) => {
    test("refuses with 507 what does not fit, before a byte is sent, and stores what does", async () => {
      const { ask, logger } = await serve(kind);
      const large = await ask(DISK);
      expect(await large.wire.final()).toMatchObject({
        status: 507,
        headers: { "retry-after": "60", connection: "close" },
        body: "",
      });
      expect(large.wire.statuses).toEqual([507]);
      expect(logger.records).toMatchObject([
        {
          level: "warn",
          details: { policy: "diskSpace", bytesSpared: DISK, reason: expect.stringMatching(/7340032 bytes are free/) },
        },
      ]);

      const fitting = await ask(5 * MIB);
      expect(fitting.status).toBe(100);
      fitting.wire.send(content(5 * MIB));
      expect(await fitting.wire.final()).toMatchObject({ status: 201, body: "stored" });
      expect(fs.readdirSync(folder)).toHaveLength(1);
    });
  });

  test.each(HTTP2_KINDS)("%s: refuses with 507, and stores what fits", async (kind) => {
    const { server } = await serve(kind);
    const session = await openSession(server);
    const head = { ":method": "PUT", ":path": "/files", expect: "100-continue" };
    const refused = await exchange(session, { ...head, "content-length": DISK });
    expect(refused).toMatchObject({ status: 507, headers: { "retry-after": "60" }, hasContinue: false });
    const stored = await exchange(session, { ...head, "content-length": MIB }, { content: content(MIB).toString() });
    expect(stored).toMatchObject({ status: 201, hasContinue: true });
  });

  test("says what is free in the problem details of a client that does not wait", async () => {
    const { connect } = await serve("node:http");
    const wire = await connect();
    wire.send(`PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: ${DISK}\r\n\r\n`);
    const { headers, body } = await wire.final();
    expect(headers["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(body)).toEqual({
      title: "Insufficient Storage",
      status: 507,
      detail: "not enough disk space: 7340032 bytes are free for uploads",
      available_bytes: 7 * MIB,
    });
  });

  test("counts what uploads in flight have announced, and gives back what a client that leaves had announced", async () => {
    const { ask, volume } = await serve("node:http");
    const held = [await ask(3 * MIB), await ask(3 * MIB)];
    expect(held.map(({ status }) => status)).toEqual([100, 100]);
    expect((await ask(2 * MIB)).status).toBe(507);
    expect((await ask(MIB)).status).toBe(100);
    expect((await ask(1)).status).toBe(507);
    held[0]?.wire.destroy();
    await until("it is given back", () => volume.expected === 4 * MIB);
    expect((await ask(3 * MIB)).status).toBe(100);
  });

  test("twenty at once: as many as fit are accepted, and each of them is stored", async () => {
    const { ask } = await serve("node:http");
    const asked = await Promise.all(Array.from({ length: 20 }, () => ask(MIB)));
    const accepted = asked.filter(({ status }) => status === 100);
    expect(accepted).toHaveLength(7);
    expect(asked.filter(({ status }) => status === 507)).toHaveLength(13);
    for (const { wire } of accepted) wire.send(content(MIB));
    for (const { wire } of accepted) expect(await wire.final()).toMatchObject({ status: 201 });
    expect((await ask(MIB)).status).toBe(507);
  });

  test("has room again when files are deleted, and none for what others have written", async () => {
    const { ask } = await serve("node:http");
    const others = path.join(folder, "others");
    fs.writeFileSync(others, content(6 * MIB));
    expect((await ask(2 * MIB)).status).toBe(507);
    fs.rmSync(others);
    await until("there is room", async () => {
      const { wire, status } = await ask(2 * MIB);
      wire.destroy();
      return status === 100;
    });
  });

  test("reserves for content of unknown length, and cuts it off there", async () => {
    const { ask, volume } = await serve("node:http", { unknownLengthCost: 2 * MIB });
    const endless = await ask(undefined);
    expect(endless.status).toBe(100);
    expect(volume.expected).toBe(2 * MIB);
    const chunk = Buffer.concat([Buffer.from("100000\r\n"), content(MIB), Buffer.from("\r\n")]);
    endless.wire.send(chunk, chunk, chunk);
    expect(await endless.wire.final()).toMatchObject({ status: 413 });
    await until("nothing is expected", () => volume.expected === 0);
    await until("the rest of it is gone", () => fs.readdirSync(folder).length === 0);
  });
});

test("a folder that is not there: 503 and Retry-After, one error in the log, and accepted when it is there again", async () => {
  const { ask, logger } = await serve("node:http", { keepFree: 0 }, store);
  fs.rmdirSync(folder);
  const asked = await Promise.all([ask(5), ask(5), ask(5)]);
  expect(asked.map(({ status }) => status)).toEqual([503, 503, 503]);
  expect((await asked[0]?.wire.final())?.headers).toMatchObject({ "retry-after": "10", connection: "close" });
  const errors = logger.records.filter(({ level }) => level === "error");
  expect(errors).toEqual([
    {
      level: "error",
      message: `diskSpace: the file system of ${folder} failed`,
      details: {
        event: "expectation.error",
        err: expect.objectContaining({ message: expect.stringContaining("ENOENT") }),
      },
    },
  ]);
  fs.mkdirSync(folder);
  await until("it is there again", async () => (await ask(5)).status === 100);
});

test("nothing is left of a thousand uploads that end in every way", async () => {
  const { ask, connect } = await serve("node:http", { keepFree: 0, path: os.tmpdir() }, store);
  const volume = volumeAt(os.tmpdir());
  let most = 0;
  for (let i = 0; i < 50; i++) {
    await Promise.all(
      Array.from({ length: 20 }, async (_, j) => {
        if (j % 4 === 0) {
          const wire = await connect();
          wire.send("PUT /nowhere HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhe");
          await wire.until("an answer", () => wire.statuses.length > 0);
          wire.destroy();
          return;
        }
        const { wire } = await ask(5);
        most = Math.max(most, volume.expected);
        if (j % 4 === 1) wire.send("hello");
        if (j % 4 === 1) await wire.final();
        if (j % 4 === 2) wire.send("he");
        wire.destroy();
      }),
    );
  }
  expect(most).toBeGreaterThanOrEqual(5);
  await until("nothing is expected", () => volume.expected === 0);
});
