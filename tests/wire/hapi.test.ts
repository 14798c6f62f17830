import type { AddressInfo } from "node:net";
import { server as createServer } from "@hapi/hapi";
import { afterEach, describe, expect, test } from "@jest/globals";
import { attach, expectations, maxSize, silent } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { WireClient } from "../helpers/wire.js";

expectNothingDeadly();

const stops: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(stops.splice(0).map((stop) => stop())));

const WAYS = {
  bare: () => {},
  "with attach": (listener) => void attach(listener, { replaceListeners: true, logger: silent }),
  "with a guard that accepts": (listener) => {
    const guard = expectations({ policies: [maxSize(100)], logger: silent });
    attach(listener, { replaceListeners: true, guard, logger: silent });
  },
} satisfies Record<string, (listener: ReturnType<typeof createServer>["listener"]) => void>;

async function start(prepare: (listener: ReturnType<typeof createServer>["listener"]) => void) {
  const app = createServer({ port: 0, host: "127.0.0.1" });
  app.route({
    method: "PUT",
    path: "/files",
    options: { payload: { maxBytes: 10 } },
    handler: (request) => `stored ${String(request.payload).length}`,
  });
  app.ext("onPreAuth", (request, h) => {
    return request.headers.authorization === "no" ? h.response("no").code(401).takeover() : h.continue;
  });
  prepare(app.listener);
  await app.start();
  stops.push(() => app.stop({ timeout: 0 }));
  return WireClient.connect((app.listener.address() as AddressInfo).port);
}

const head = (path: string, length: number, ...fields: string[]) =>
  [
    `PUT ${path} HTTP/1.1`,
    "Host: test",
    "Content-Type: text/plain",
    `Content-Length: ${length}`,
    ...fields,
    "",
    "",
  ].join("\r\n");
const EXPECT = "Expect: 100-continue";

describe.each(Object.entries(WAYS))("hapi %s", (_way, prepare) => {
  test("responds 404 before the content is sent", async () => {
    const wire = await start(prepare);
    wire.send(head("/other", 5, EXPECT));
    await wire.final();
    expect(wire.statuses).toEqual([404]);
    await wire.closed();
  });

  test("responds before the content is sent to whom an extension refuses", async () => {
    const wire = await start(prepare);
    wire.send(head("/files", 5, EXPECT, "Authorization: no"));
    await wire.final();
    expect(wire.statuses).toEqual([401]);
    await wire.closed();
  });

  test("sends one 100 for content that it reads, and keeps the connection", async () => {
    const wire = await start(prepare);
    for (const length of [5, 7]) {
      const before = wire.responses.length;
      wire.send(head("/files", length, EXPECT));
      await wire.until("a 100", () => wire.responses.length > before);
      wire.send("x".repeat(length));
      expect((await wire.final(length === 5 ? 1 : 2)).body).toBe(`stored ${length}`);
    }
    expect(wire.statuses).toEqual([100, 200, 100, 200]);
  });

  test("takes content that comes without Expect", async () => {
    const wire = await start(prepare);
    wire.send(head("/files", 5), "hello");
    await wire.final();
    expect(wire.statuses).toEqual([200]);
    expect(await wire.answersNext()).toBe(true);
  });
});

test("a guard refuses before hapi sees the request", async () => {
  const guard = expectations({ policies: [maxSize(4)], logger: silent });
  const wire = await start((listener) => void attach(listener, { replaceListeners: true, guard, logger: silent }));
  wire.send(head("/files", 5, EXPECT));
  await wire.final();
  expect(wire.statuses).toEqual([413]);
  await wire.closed();
});
