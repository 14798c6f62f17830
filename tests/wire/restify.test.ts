import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "@jest/globals";
import { createServer, type Handler, plugins } from "restify";
import { attach, expectations, maxSize, silent } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { WireClient } from "../helpers/wire.js";

expectNothingDeadly();

const stops: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(stops.splice(0).map((stop) => stop())));

async function start(isAttached: boolean, ...before: Handler[]) {
  const app = createServer();
  for (const handler of before) app.use(handler);
  app.use(plugins.bodyParser());
  app.put("/files", (req, res, next) => {
    res.send(201, `stored ${(req.body as string).length}`);
    next();
  });
  const { server } = app;
  if (isAttached) attach(server, { replaceListeners: true, logger: silent });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stops.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return WireClient.connect((server.address() as AddressInfo).port);
}

const head = (length: number, ...fields: string[]) =>
  [
    "PUT /files HTTP/1.1",
    "Host: test",
    "Content-Type: text/plain",
    `Content-Length: ${length}`,
    ...fields,
    "",
    "",
  ].join("\r\n");

describe.each([
  ["bare", false],
  ["with attach(server, { replaceListeners: true })", true],
])("Restify %s", (_way, isAttached) => {
  test("reads content behind one 100, and keeps the connection", async () => {
    const wire = await start(isAttached);
    for (const length of [5, 7]) {
      const before = wire.responses.length;
      wire.send(head(length, "Expect: 100-continue"));
      await wire.until("a 100", () => wire.responses.length > before);
      wire.send("x".repeat(length));
      expect((await wire.final(length === 5 ? 1 : 2)).body).toBe(`"stored ${length}"`);
    }
    expect(wire.statuses).toEqual([100, 201, 100, 201]);
  });

  test("reads content that comes without Expect", async () => {
    const wire = await start(isAttached);
    wire.send(head(5), "hello");
    expect((await wire.final()).status).toBe(201);
    expect(await wire.answersNext()).toBe(true);
    expect(wire.statuses).toEqual([201, 404]);
  });
});

test("a guard in a Restify application decides before the 100", async () => {
  const guard = expectations({ policies: [maxSize(6)], logger: silent });
  const wire = await start(true, guard as Handler);
  wire.send(head(5, "Expect: 100-continue"));
  await wire.status(100);
  wire.send("hello");
  await wire.final();
  wire.send(head(7, "Expect: 100-continue"));
  await wire.final(2);
  expect(wire.statuses).toEqual([100, 201, 413]);
  await wire.closed();
});
