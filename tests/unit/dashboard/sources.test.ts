import { EventEmitter } from "node:events";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { fromRedis, fromWorkers, relayDecisions } from "../../../src/dashboard/dashboard.js";

afterEach(() => {
  jest.useRealTimers();
});

describe("fromRedis", () => {
  test("tries a subscription that fails again every 5 seconds, until it is ended", async () => {
    jest.useFakeTimers();
    const errors: string[] = [];
    let tries = 0;
    const subscriber = Object.assign(new EventEmitter(), {
      subscribe: async () => {
        tries++;
        if (tries < 3) throw new Error(`no ${tries}`);
      },
      unsubscribe: async () => {
        throw new Error("closed");
      },
    });
    const source = fromRedis({ publisher: { publish: () => 1 }, subscriber });
    const end = source.subscribe(
      () => {},
      ({ message }) => errors.push(message),
    );
    await jest.advanceTimersByTimeAsync(20_000);
    expect([tries, errors]).toEqual([3, ["no 1", "no 2"]]);
    end();
    expect(subscriber.listenerCount("message")).toBe(0);
    tries = 0;
    const endAtOnce = source.subscribe(
      () => {},
      () => {},
    );
    await jest.advanceTimersByTimeAsync(1);
    endAtOnce();
    await jest.advanceTimersByTimeAsync(20_000);
    expect(tries).toBe(1);
  });

  test.each([
    [{}, "fromRedis({ publisher }): received undefined; expected a client of ioredis or of node-redis"],
    [{ publisher: { publish() {} }, subscriber: { subscribe() {} } }, "fromRedis({ subscriber }): received an object"],
    [{ client: 1 }, 'fromRedis(options): unknown option "client"'],
    [undefined, "fromRedis(options): received undefined"],
  ])("a wrong option is refused: %#", (options, message) => {
    expect(() => fromRedis(options as never)).toThrow(message);
  });

  test("a channel has a name", () => {
    const subscriber = Object.assign(new EventEmitter(), { subscribe() {}, unsubscribe() {} });
    const options = { publisher: { publish() {} }, subscriber, channel: "" };
    expect(() => fromRedis(options)).toThrow('channel: received ""; expected the name of a channel');
  });
});

/** A worker as its primary process has it; `answers` tells whether messages reach it. */
class Worker {
  readonly got: unknown[] = [];
  isThere = true;
  answers = true;

  constructor(readonly id: number) {}

  isConnected(): boolean {
    return this.isThere;
  }

  send(message: unknown, callback: (error: Error | null) => void): boolean {
    this.got.push(message);
    if (this.answers) callback(null);
    return true;
  }
}

const message = (text: string) => ({ type: "express-expectations:decisions", text });

describe("relayDecisions", () => {
  function cluster() {
    const [one, two, gone] = [new Worker(1), new Worker(2), new Worker(3)];
    gone.isThere = false;
    const made = Object.assign(new EventEmitter(), { isPrimary: true, workers: { 1: one, 2: two, 3: gone } });
    return { made, one, two, gone };
  }

  test("passes the decisions of a worker on to all others that are connected, and to its own readers", () => {
    const { made, one, two, gone } = cluster();
    const relay = relayDecisions(made);
    const texts: string[] = [];
    const end = relay.subscribe(
      (text) => texts.push(text),
      () => {},
    );
    made.emit("message", one, message("a"));
    for (const other of [null, 7, { type: "other", text: "x" }, { ...message("a"), text: 7 }])
      made.emit("message", one, other);
    relay.publish("b");
    expect([one.got, two.got, gone.got]).toEqual([[message("b")], [message("a"), message("b")], []]);
    expect(texts).toEqual(["a"]);
    end();
    relay.close();
    made.emit("message", one, message("c"));
    expect([texts, two.got.length, made.listenerCount("message")]).toEqual([["a"], 2, 0]);
  });

  test("sends no more than 20 messages to a worker that does not take them", () => {
    const { made, one, two } = cluster();
    relayDecisions(made);
    two.answers = false;
    for (let i = 0; i < 100; i++) made.emit("message", one, message(String(i)));
    expect(two.got).toHaveLength(20);
  });

  test("belongs into the primary process", () => {
    expect(() => relayDecisions({ isPrimary: false } as never)).toThrow(
      "relayDecisions(cluster): received an object; expected the default export of node:cluster, in the primary process",
    );
  });
});

describe("fromWorkers", () => {
  test("an error of the connection to the primary process rejects", async () => {
    const worker = Object.assign(new EventEmitter(), {
      send: (_message: unknown, _handle: undefined, _options: undefined, callback: (error: Error | null) => void) => {
        callback(new Error("channel closed"));
        return false;
      },
    });
    const source = fromWorkers(worker);
    await expect(source.publish("a")).rejects.toThrow("channel closed");
    source.subscribe(
      () => {},
      () => {},
    )();
    expect(worker.listenerCount("message")).toBe(0);
  });

  test("a process that nobody has forked is refused", () => {
    expect(() => fromWorkers(new EventEmitter() as never)).toThrow(
      "fromWorkers(process): received an object; expected the process of a worker, which was started by cluster.fork()",
    );
  });
});
