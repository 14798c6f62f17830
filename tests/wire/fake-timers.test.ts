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

// docs/testing-your-app.md says why these two stay real.
const fake = () => void jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate"] });

describe("with the fake timers of jest", () => {
  test("an upload is accepted and stored, and no timer has to run", async () => {
    fake();
    const wire = await start([maxSize(5)]);
    wire.send(UPLOAD);
    await wire.status(100);
    wire.send("hello");
    expect(await wire.final()).toMatchObject({ status: 201, body: "stored 5" });
    wire.send(PLAIN, "hello");
    expect(await wire.final(2)).toMatchObject({ status: 201 });
  });

  test("an upload is refused, at once and in mid-body", async () => {
    fake();
    const wire = await start([maxSize(4)]);
    wire.send(UPLOAD);
    expect((await wire.final()).status).toBe(413);
    await wire.closed();
    const other = await start([maxSize(4)]);
    other.send(CHUNKED, "5\r\nhello\r\n");
    expect((await other.final()).status).toBe(413);
  });

  test("a policy that never answers is ended by advancing the time", async () => {
    fake();
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

  test("a client that sends nothing after its 100 is ended by advancing the time", async () => {
    fake();
    const wire = await start([maxSize(5)]);
    wire.send(UPLOAD);
    await wire.status(100);
    jest.advanceTimersByTime(60_000);
    expect((await wire.final()).status).toBe(408);
  });

  test("a refused connection whose client stays is closed by advancing the time", async () => {
    fake();
    const wire = await start([maxSize(4)]);
    wire.send(CHUNKED, "5\r\nhello\r\n");
    await wire.final();
    expect(wire.hasFin).toBe(false);
    jest.advanceTimersByTime(5_000);
    await wire.until("the connection is closed", () => wire.isClosed || wire.hasFin);
  });
});
