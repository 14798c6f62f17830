import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { BodyClock, type TimedUpload } from "../../../src/handshake/body-clock.js";

// `performance.now()` is the clock's own, so that it stands still as well.
beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const timers = () => jest.getTimerCount();

/** An accepted upload of HTTP/1, and what became of it. */
function uploadOf(facts: object = {}) {
  const ended: string[] = [];
  const upload = {
    req: { destroyed: false },
    res: { socket: {}, once: (_event: string, callback: () => void) => void turns.push(callback) },
    stream: undefined,
    context: { bodyTimeoutMs: 60_000, bodyRate: { bytesPerSecond: 500, graceMs: 20_000 } },
    state: "none" as const,
    acceptedAt: 1,
    isClosed: false,
    isInjected: false,
    isGone: false,
    isAsking: false,
    hasArrived: false,
    received: 0,
    listener: { onIdle: () => void ended.push("idle"), onSlow: () => void ended.push("slow") },
    ...facts,
  };
  const turns: (() => void)[] = [];
  const clock = new BodyClock(upload as unknown as TimedUpload);
  const ask = () => {
    upload.isAsking = true;
    clock.start();
  };
  const bring = (bytes: number) => {
    upload.isAsking = false;
    upload.received += bytes;
    clock.hear();
  };
  return { upload, clock, ended, turns, ask, bring };
}

describe("the clock of a body", () => {
  test("ends an upload that brings nothing when its grace is over", () => {
    const { ended, ask } = uploadOf();
    ask();
    jest.advanceTimersByTime(19_999);
    expect(ended).toEqual([]);
    jest.advanceTimersByTime(50);
    expect(ended).toEqual(["slow"]);
  });

  test("ends one that stands still behind much content by its idle time", () => {
    const { ended, bring, ask } = uploadOf();
    ask();
    bring(10_000_000);
    ask();
    jest.advanceTimersByTime(59_900);
    expect(ended).toEqual([]);
    jest.advanceTimersByTime(200);
    expect(ended).toEqual(["idle"]);
  });

  test.each([
    [100, 25_000],
    [400, 100_000],
  ])("ends one of %d bytes per second after %d ms", (rate, ms) => {
    const { ended, bring, ask } = uploadOf();
    let elapsed = 0;
    ask();
    while (ended.length === 0 && elapsed < 200_000) {
      jest.advanceTimersByTime(100);
      elapsed += 100;
      bring(rate / 10);
      ask();
    }
    expect(ended).toEqual(["slow"]);
    expect(Math.abs(elapsed - ms)).toBeLessThanOrEqual(500);
  });

  test.each([500, 501, 1_000])("lets one of %d bytes per second take an hour, with few timers", (rate) => {
    const { clock, ended, bring, ask } = uploadOf();
    const set = jest.spyOn(globalThis, "setTimeout");
    ask();
    for (let i = 0; i < 36_000; i++) {
      jest.advanceTimersByTime(100);
      bring(rate / 10);
      ask();
    }
    expect(ended).toEqual([]);
    expect(set.mock.calls.length).toBeLessThan(300);
    clock.stop();
    expect(timers()).toBe(0);
  });

  test("counts only the time in which somebody asks", () => {
    const { ended, bring, ask } = uploadOf();
    for (let i = 0; i < 19; i++) {
      ask();
      jest.advanceTimersByTime(1_000);
      bring(0);
      jest.advanceTimersByTime(600_000);
    }
    expect(ended).toEqual([]);
    expect(timers()).toBe(0);
    ask();
    jest.advanceTimersByTime(1_050);
    expect(ended).toEqual(["slow"]);
  });

  test("reads what has come before it ends an upload behind a long pause of the process", () => {
    const { ended, bring, ask } = uploadOf();
    ask();
    setTimeout(() => setImmediate(() => bring(20_000)), 19_999);
    jest.advanceTimersByTime(20_010);
    ask();
    jest.advanceTimersByTime(30_000);
    expect(ended).toEqual([]);
  });

  test("holds each rate that is required, in place of the server's own", () => {
    const { clock, ended, ask } = uploadOf();
    clock.require({ bytesPerSecond: 1, graceMs: 50_000, onSlow: () => ended.push("first") });
    clock.require({ bytesPerSecond: 1, graceMs: 40_000, onSlow: () => ended.push("second") });
    ask();
    jest.advanceTimersByTime(39_900);
    expect(ended).toEqual([]);
    jest.advanceTimersByTime(200);
    expect(ended).toEqual(["second"]);
  });

  test("holds a rate that is required late", () => {
    const { clock, ended, ask } = uploadOf();
    ask();
    jest.advanceTimersByTime(10_000);
    clock.require({ bytesPerSecond: 1, graceMs: 5_000, onSlow: () => ended.push("late") });
    jest.advanceTimersByTime(50);
    expect(ended).toEqual(["late"]);
  });

  test.each<[what: string, facts: object]>([
    ["was refused", { state: "refused" }],
    ["has come whole", { hasArrived: true }],
    ["waits for its 100", { state: "pending" }],
    ["is injected", { isInjected: true }],
    ["has lost its client", { isGone: true }],
    ["nobody accepted, and did not wait", { acceptedAt: undefined }],
    ["has a response behind it", { isClosed: true }],
    ["has a reader that gave up", { req: { destroyed: true } }],
  ])("does not run for content that %s", (_what, facts) => {
    const { ask } = uploadOf(facts);
    ask();
    expect(timers()).toBe(0);
  });

  test("has no rate for content that nobody accepted, but an idle time behind its 100", () => {
    const { ended, ask } = uploadOf({ acceptedAt: undefined, state: "continued" });
    ask();
    jest.advanceTimersByTime(59_900);
    expect(ended).toEqual([]);
    jest.advanceTimersByTime(200);
    expect(ended).toEqual(["idle"]);
  });

  test("begins when the 100 has its turn behind an earlier response", () => {
    const { ended, upload, turns, ask } = uploadOf({ state: "continued" });
    (upload.res as { socket: unknown }).socket = null;
    ask();
    ask();
    jest.advanceTimersByTime(100_000);
    expect(turns).toHaveLength(1);
    (upload.res as { socket: unknown }).socket = {};
    turns[0]?.();
    jest.advanceTimersByTime(20_050);
    expect(ended).toEqual(["slow"]);
  });

  test("begins with the acceptance for somebody who has asked before", () => {
    const { clock, ended, upload, ask } = uploadOf({ acceptedAt: undefined });
    ask();
    jest.advanceTimersByTime(100_000);
    upload.acceptedAt = 1;
    clock.renew();
    jest.advanceTimersByTime(20_050);
    expect(ended).toEqual(["slow"]);
  });

  test("goes on behind the response once Node's own time has passed", () => {
    const { clock, ended, ask } = uploadOf({ isClosed: true });
    clock.outlast();
    expect(clock.isOverdue).toBe(true);
    ask();
    jest.advanceTimersByTime(20_050);
    expect(ended).toEqual(["slow"]);
  });

  test("leaves no timer behind when it is stopped, at any moment", () => {
    const { clock, ended, ask } = uploadOf();
    ask();
    clock.stop();
    jest.advanceTimersByTime(0);
    expect(timers()).toBe(0);
    ask();
    jest.advanceTimersByTime(19_999);
    clock.stop();
    jest.advanceTimersByTime(100_000);
    expect(ended).toEqual([]);
    expect(timers()).toBe(0);
  });

  test("takes times that are longer than a timer of Node's", () => {
    const most = 2 ** 31 - 1;
    const { ended, bring, ask } = uploadOf({
      context: { bodyTimeoutMs: most, bodyRate: { bytesPerSecond: 1, graceMs: most } },
      received: Number.MAX_SAFE_INTEGER,
    });
    ask();
    jest.advanceTimersByTime(most - 1_000);
    bring(1);
    ask();
    jest.advanceTimersByTime(most - 1_000);
    expect(ended).toEqual([]);
  });
});
