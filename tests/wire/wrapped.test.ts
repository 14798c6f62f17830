import { once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";
import { Duplex } from "node:stream";
import { afterEach, describe, expect, test } from "@jest/globals";
import { attach, expectations, maxSize, refuse, silent } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { closeServers, type Handler, listen, recordingLogger, startAttached, store } from "../helpers/servers.js";
import { CHUNKED, WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeServers);

const head = (length: number) => `PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: ${length}\r\n\r\n`;
const EXPECT = "PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n";

type End = (...args: unknown[]) => http.ServerResponse;

/** A middleware that has its own `end`, as those have that measure, compress or change a response. */
const wrapping =
  (wrap: (res: http.ServerResponse, end: () => http.ServerResponse) => void): Handler =>
  (_req, res, next) => {
    const { end } = res;
    res.end = ((...args: unknown[]) => {
      wrap(res, () => (end as End).apply(res, args));
      return res;
    }) as typeof res.end;
    next();
  };

const atOnce = wrapping((res, end) => {
  res.setHeader("X-Time", "1");
  end();
});

const later = wrapping((res, end) => {
  setImmediate(() => {
    res.setHeader("X-Time", "1");
    end();
  });
});

/** As express-session does. */
const endingOnce: Handler = (_req, res, next) => {
  const { end } = res;
  let hasEnded = false;
  res.end = ((...args: unknown[]) => {
    if (hasEnded) return res;
    hasEnded = true;
    setImmediate(() => (end as End).apply(res, args));
    return res;
  }) as typeof res.end;
  next();
};

/** Holds the head back until the end. */
const deferring: Handler = (_req, res, next) => {
  const { writeHead, end } = res;
  res.writeHead = () => res;
  res.end = ((...args: unknown[]) => {
    res.writeHead = writeHead;
    return (end as End).apply(res, args);
  }) as typeof res.end;
  next();
};

describe.each(["node:http", "Express 4", "Express 5"] as const)("%s", (kind) => {
  async function connect(wrapper: Handler, order: "before" | "behind" = "before", files = store) {
    const logger = recordingLogger();
    const guard = expectations({ logger, policies: [maxSize(1_000)] }) as Handler;
    const use = order === "before" ? [wrapper, guard] : [guard, wrapper];
    const { port } = await startAttached(kind, { use, routes: { "/files": files } }, { logger });
    return { wire: await WireClient.connect(port), logger };
  }

  describe.each([
    ["sets a field at the end", atOnce, "1"],
    ["comes back to it later", later, "1"],
    ["holds the head back", deferring, undefined],
  ])("a response whose wrapper %s", (_how, wrapper, time) => {
    test.each([
      ["waits", EXPECT],
      ["has sent all", `${head(2_000)}${"x".repeat(2_000)}`],
    ])("carries the refusal of a client that %s", async (_client, request) => {
      const { wire, logger } = await connect(wrapper);
      wire.send(request);
      const answer = await wire.final();
      expect(answer).toMatchObject({ status: 413, headers: { connection: "close" }, isComplete: true });
      expect(answer.headers["x-time"]).toBe(time);
      expect(logger.records).toMatchObject([{ level: "warn", details: { status: 413 } }]);
    });

    test.each(["before", "behind"] as const)("carries a refusal in the middle of the content (%s)", async (order) => {
      const { wire } = await connect(wrapper, order);
      wire.send(CHUNKED, `2000\r\n${"x".repeat(0x2000)}\r\n`);
      expect(await wire.final()).toMatchObject({ status: 413, headers: { connection: "close" }, isComplete: true });
    });
  });

  test.each([
    ["calls the response's own end for each of them", later],
    ["takes the first one alone", endingOnce],
  ])("an end of the application's and one of a refusal: a wrapper that ends later and %s", async (_how, wrapper) => {
    const early: Handler = (req, res) => {
      req.on("data", () => {}).on("error", () => {});
      res.end("early");
    };
    const { wire } = await connect(wrapper, "before", early);
    wire.send(`${CHUNKED}7d0\r\n${"x".repeat(2_000)}\r\n`);
    const final = await wire.final();
    expect(final).toMatchObject({ status: 413, isComplete: true });
    await wire.closed();
    expect(wire.statuses).toEqual([413]);
  });

  test("a wrapper that throws at the end cuts the connection, and hangs nobody", async () => {
    const throwing = wrapping((res) => {
      res.writeHead(res.statusCode);
      throw new Error("no");
    });
    const { wire, logger } = await connect(throwing);
    wire.send(EXPECT);
    await wire.closed();
    expect(wire.statuses).toEqual([]);
    expect(logger.records.map(({ level }) => level)).toEqual(["warn", "error"]);
  });
});

test("a refused HEAD has no body, on a server that does not allow one", async () => {
  const guard = expectations({ logger: silent, policies: [() => refuse(413, { body: "too large" })] });
  const server = http.createServer({ rejectNonStandardBodyWrites: true }, (_req, res) => void res.end());
  const { port } = await listen(attach(server, { guard, logger: silent }));
  const wire = await WireClient.connect(port, { methods: ["HEAD"] });
  wire.send("HEAD /files HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc");
  expect(await wire.final()).toMatchObject({ status: 413, headers: { "content-length": "9", connection: "close" } });
  await wire.fin();
  expect(wire.text.endsWith("\r\n\r\n")).toBe(true);
});

test("the framing of a refusal is no policy's to set", async () => {
  const headers = { "Transfer-Encoding": "chunked", Trailer: "X-A", "Content-Length": "99", "X-B": "b" };
  const guard = expectations({ logger: silent, policies: [() => refuse(403, { headers })] }) as Handler;
  const { port } = await startAttached("node:http", { use: [guard] }, { logger: silent });
  const wire = await WireClient.connect(port);
  wire.send(EXPECT);
  const { status, headers: fields } = await wire.final();
  expect(status).toBe(403);
  expect(fields).toMatchObject({ "content-length": "0", "x-b": "b" });
  expect(fields).not.toHaveProperty("transfer-encoding");
  expect(fields).not.toHaveProperty("trailer");
});

test("a connection that is no socket is refused, and ended, like one", async () => {
  const guard = expectations({ logger: silent, policies: [() => refuse(403)] });
  const { server } = await listen(attach(http.createServer(), { guard, logger: silent }));
  const front = net.createServer((socket) => {
    const tunnel = new Duplex({
      read() {},
      write: (chunk, _encoding, done) => void socket.write(chunk, () => done()),
      final: (done) => void socket.end(() => done()),
    });
    socket.on("data", (chunk) => tunnel.push(chunk)).on("end", () => tunnel.push(null));
    server.emit("connection", tunnel as net.Socket);
  });
  await once(front.listen(0, "127.0.0.1"), "listening");
  try {
    const wire = await WireClient.connect((front.address() as net.AddressInfo).port);
    wire.send(EXPECT);
    expect((await wire.final()).status).toBe(403);
    await wire.fin();
    wire.destroy();
  } finally {
    front.close();
  }
});
