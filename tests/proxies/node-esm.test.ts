import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { attach, expectations, knownLength, maxSize, mediaTypes, silent } from "../../src/index.js";
import { Checkout, REPOSITORY } from "../examples/checkout.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import { closeServers, type Handler, listen, plainApp, type RunningServer, store } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

// Builds the package first.
jest.setTimeout(60_000);

/** The lines of Node that http-proxy-middleware 4 runs on, behind 22.15. */
const NODE = nodeOf(["22", "24", "26"]);

/** The Node that runs the tests where its line is one of these, or one that `npm run test:nodes` has fetched. */
function nodeOf(lines: readonly string[]): string | undefined {
  if (lines.includes(process.versions.node.split(".")[0] ?? "")) return process.execPath;
  const candidates = lines.flatMap((line) => {
    const modules = path.join(REPOSITORY, ".nodes", line, "node_modules");
    const names = fs.existsSync(modules) ? fs.readdirSync(modules).filter((name) => name.startsWith("node")) : [];
    return names.flatMap((name) => [
      path.join(modules, name, "bin/node"),
      path.join(modules, "node/node_modules", name, "bin/node"),
    ]);
  });
  return candidates.find((file) => spawnSync(file, ["--version"]).status === 0);
}

const FRONT: string = path.resolve(__dirname, "esm-front.mjs");

const HIDDEN = "GET /hidden HTTP/1.1\r\nHost: test\r\n\r\n";
const CHUNKED_HIDDEN = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`;

if (NODE === undefined) {
  process.stderr.write("skipped: http-proxy-middleware 4 needs Node 22.15, and npm run test:nodes has fetched none\n");
}

(NODE === undefined ? describe.skip : describe)("http-proxy-middleware 4", () => {
  let checkout: Checkout;

  beforeAll(async () => {
    checkout = await Checkout.make();
    await checkout.build();
    await checkout.write("front.mjs", fs.readFileSync(FRONT, "utf8"));
  });
  afterEach(async () => {
    closeSessions();
    await closeServers();
  });
  afterAll(() => checkout?.remove());

  async function front({ isHeld = true } = {}) {
    const executed: string[] = [];
    const guard = expectations({
      logger: silent,
      applyTo: "expectations",
      policies: [knownLength(), mediaTypes(["image/*"]), maxSize("1kb")],
    }) as Handler;
    const record: Handler = (req, _res, next) => {
      executed.push(`${req.method} ${req.url}`);
      next();
    };
    const app = plainApp({ use: [guard, record, store] });
    const origin = await listen(attach(http.createServer(app), { logger: silent }));
    const program = checkout.start(["front.mjs", `http://127.0.0.1:${origin.port}`, isHeld ? "held" : ""], {}, NODE);
    const portOf = async (what: RegExp) => Number((await program.printed(what))[1]);
    const [port, http2Port] = await Promise.all([portOf(/http1 (\d+)/), portOf(/http2 (\d+)/)]);
    return { executed, port, http2: { port: http2Port, isTls: false } as RunningServer };
  }

  const upload = (...fields: string[]) =>
    ["PUT /up HTTP/1.1", "Host: test", "Expect: 100-continue", ...fields, "", ""].join("\r\n");

  test("passes the origin's refusal on before the content is sent", async () => {
    const { port, executed } = await front();
    const wire = await WireClient.connect(port);
    wire.send(upload("Content-Type: image/png", "Content-Length: 1025"));
    expect(await wire.final()).toMatchObject({ status: 413, headers: { connection: "close" } });
    await wire.closed();
    expect(wire.statuses).toEqual([413]);
    expect(executed).toEqual([]);
  });

  test("passes on one 100, the content and the answer, and the connection goes on", async () => {
    const { port } = await front();
    const wire = await WireClient.connect(port);
    for (const n of [1, 2]) {
      wire.send(upload("Content-Type: image/png", "Content-Length: 5"));
      await wire.until(`100 number ${n}`, () => wire.statuses.filter((status) => status === 100).length === n);
      wire.send("hello");
      expect((await wire.final(n)).body).toBe("stored 5");
    }
    expect(wire.statuses).toEqual([100, 201, 100, 201]);
  });

  test.each([
    ["DELETE", ""],
    ["OPTIONS", ""],
    ["DELETE", "Expect: 100-continue\r\n"],
    ["OPTIONS", "Expect: 100-continue\r\n"],
  ])("is not given a %s with content of unknown length (%j)", async (method, expectation) => {
    const { port, executed } = await front();
    const wire = await WireClient.connect(port);
    wire.send(
      `${method} /d HTTP/1.1\r\nHost: test\r\n${expectation}Transfer-Encoding: chunked\r\n\r\n`,
      CHUNKED_HIDDEN,
    );
    expect(await wire.final()).toMatchObject({ status: 411, headers: { connection: "close" } });
    await wire.closed();
    expect(await (await WireClient.connect(port)).answersNext("/settled")).toBe(true);
    expect(executed).toEqual(["GET /settled"]);
  });

  test.each(["DELETE", "OPTIONS", "GET", "HEAD"])("is not given a %s of unknown length over HTTP/2", async (method) => {
    const { http2, executed } = await front();
    const request = { ":method": method, ":path": "/d" };
    const { status } = await exchange(await openSession(http2), request, { content: HIDDEN, sendAtOnce: true });
    expect(status).toBe(411);
    expect(executed).toEqual([]);
  });

  test.each(["DELETE", "OPTIONS"])("sends a %s whole where nothing is mounted before the proxy", async (method) => {
    const { port, http2, executed } = await front({ isHeld: false });
    const wire = await WireClient.connect(port);
    wire.send(`${method} /d HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n`, CHUNKED_HIDDEN);
    expect(await wire.final()).toMatchObject({ status: 201, body: `stored ${HIDDEN.length}` });
    const request = { ":method": method, ":path": "/d" };
    const over2 = await exchange(await openSession(http2), request, { content: HIDDEN, sendAtOnce: true });
    expect(over2).toMatchObject({ status: 201, body: `stored ${HIDDEN.length}` });
    expect(await (await WireClient.connect(port)).answersNext("/settled")).toBe(true);
    expect(executed).toEqual([`${method} /d`, `${method} /d`, "GET /settled"]);
  });
});
