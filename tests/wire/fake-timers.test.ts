import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { expectations, maxSize, type Policy, silent } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { closeServers, type Handler, startAttached, store } from "../helpers/servers.js";
import { CHUNKED, PLAIN, UPLOAD, WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(async () => {
  jest.useRealTimers();
  await closeServers();
});

async function start(policies: readonly Policy[]) {
  const guard = expectations({ policies, logger: silent, policyTimeoutMs: 5_000 }) as Handler;
  const { port } = await startAttached("Express 5", { use: [guard], routes: { "/files": store } }, { logger: silent });
  return WireClient.connect(port);
}

describe.each([
  ["with its defaults", {}],
  ["without nextTick and setImmediate", { doNotFake: ["nextTick", "setImmediate"] as const }],
])("jest.useFakeTimers %s", (_how, options) => {
  test("an upload is accepted and stored, and no timer has to run", async () => {
    jest.useFakeTimers({ ...options, doNotFake: [...(options.doNotFake ?? [])] });
    const wire = await start([maxSize(5)]);
    wire.send(UPLOAD);
    await wire.status(100);
    wire.send("hello");
    expect(await wire.final()).toMatchObject({ status: 201, body: "stored 5" });
    wire.send(PLAIN, "hello");
    expect(await wire.final(2)).toMatchObject({ status: 201 });
  });

  test("an upload is refused, at once and in mid-body, and the connection ends with its client", async () => {
    jest.useFakeTimers({ ...options, doNotFake: [...(options.doNotFake ?? [])] });
    const wire = await start([maxSize(4)]);
    wire.send(UPLOAD);
    expect((await wire.final()).status).toBe(413);
    await wire.closed();
    const other = await start([maxSize(4)]);
    other.send(CHUNKED, "5\r\nhello\r\n");
    expect((await other.final()).status).toBe(413);
    await other.closed();
  });

  test("a policy that never answers is ended by advancing the time", async () => {
    jest.useFakeTimers({ ...options, doNotFake: [...(options.doNotFake ?? [])] });
    let isAsked = () => {};
    const asked = new Promise<void>((resolve) => {
      isAsked = resolve;
    });
    const wire = await start([
      () => {
        isAsked();
        return new Promise<never>(() => {});
      },
    ]);
    wire.send(UPLOAD);
    await asked;
    jest.advanceTimersByTime(5_000);
    expect((await wire.final()).status).toBe(503);
  });
});
