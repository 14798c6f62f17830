import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, test } from "@jest/globals";
import type { Connection } from "../../../src/handshake/connection.js";
import { hasToWait, hold, releaseHeld } from "../../../src/server/held.js";

interface Facts {
  isDispatched?: boolean;
  isJudged?: boolean;
  refusal?: object | undefined;
  hasBadFraming?: boolean;
  req?: { headers: { upgrade?: string } };
}

function handshakeOf(facts: Facts): Facts {
  return {
    isDispatched: true,
    isJudged: false,
    refusal: undefined,
    hasBadFraming: false,
    req: { headers: {} },
    ...facts,
  };
}

function connectionOf(...open: Facts[]): Connection {
  return { open: open.map(handshakeOf), held: [] } as unknown as Connection;
}

describe("a request waits", () => {
  test.each<[what: string, connection: Connection | undefined, waits: boolean]>([
    ["not on a new connection", undefined, false],
    ["not behind nothing", connectionOf(), false],
    ["not behind a request that goes on", connectionOf({}), false],
    ["behind a verdict", connectionOf({}, { isJudged: true }), true],
    ["behind a refusal", connectionOf({ refusal: {} }), true],
    ["behind bad framing", connectionOf({ hasBadFraming: true }), true],
    ["behind an upgrade", connectionOf({ req: { headers: { upgrade: "h2c" } } }), true],
    ["not behind one that waits itself", connectionOf({ isDispatched: false, isJudged: true }), false],
  ])("%s", (_what, connection, waits) => {
    expect(hasToWait(connection)).toBe(waits);
  });

  test("behind others that wait", () => {
    const connection = connectionOf();
    hold(connection, () => {});
    expect(hasToWait(connection)).toBe(true);
  });
});

describe("held requests", () => {
  test("are 16 at most", () => {
    const connection = connectionOf();
    const results = Array.from({ length: 17 }, () => hold(connection, () => {}));
    expect(results).toEqual([...Array(16).fill(true), false]);
    expect(connection.held).toHaveLength(16);
  });

  test("go on in order, until one of them may end the connection", () => {
    const connection = connectionOf();
    const order: number[] = [];
    for (const i of [1, 2, 3]) {
      hold(connection, () => {
        order.push(i);
        if (i === 2) (connection as { open: unknown }).open = [handshakeOf({ isJudged: true })];
      });
    }
    releaseHeld(connection);
    expect(order).toEqual([1, 2]);
    releaseHeld(connection);
    expect(order).toEqual([1, 2]);
    (connection as { open: unknown }).open = [];
    releaseHeld(connection);
    expect(order).toEqual([1, 2, 3]);
    expect(() => releaseHeld(connection)).not.toThrow();
  });

  test("keep the asynchronous context that they came with", () => {
    const storage = new AsyncLocalStorage<string>();
    const connection = connectionOf();
    let seen: string | undefined;
    storage.run("mine", () =>
      hold(connection, () => {
        seen = storage.getStore();
      }),
    );
    releaseHeld(connection);
    expect(seen).toBe("mine");
  });
});
