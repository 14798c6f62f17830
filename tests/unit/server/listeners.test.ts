import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, jest, test } from "@jest/globals";
import { freeEvents, listenForExpectations } from "../../../src/server/listeners.js";
import type { AttachableServer } from "../../../src/server/options.js";

const REQ = {} as IncomingMessage;
const serverOf = (listeners: Record<string, () => void> = {}) => {
  const server = new EventEmitter() as AttachableServer;
  for (const [event, listener] of Object.entries(listeners)) server.on(event, listener);
  return server;
};
const logger = () => ({ error: jest.fn(), warn: jest.fn() });
const TAKEN =
  /^attach\(server\): somebody else listens for (.*) on this server, and both would run the application; remove that listener, or pass \{ replaceListeners: true \}, so that it gets the requests that pass the gate$/;

describe("the listeners of others", () => {
  test("are none on most servers", () => {
    expect(freeEvents(serverOf({ request() {} }), false)).toBeUndefined();
  });

  test.each<[events: string[], named: string]>([
    [["checkContinue"], "checkContinue"],
    [["checkExpectation"], "checkExpectation"],
    [["checkContinue", "checkExpectation"], "checkContinue and checkExpectation"],
  ])("for %j are an error that names them, and stay", (events, named) => {
    const server = serverOf(Object.fromEntries(events.map((event) => [event, () => {}])));
    const call = () => freeEvents(server, false);
    expect(call).toThrow(expect.objectContaining({ code: "ERR_EXPECT_LISTENERS" }));
    expect(call).toThrow(TAKEN);
    expect(call).toThrow(`listens for ${named} on`);
    for (const event of events) expect(server.listenerCount(event)).toBe(1);
  });

  test("are set aside if they are to be replaced, and put back", () => {
    const onContinue = jest.fn();
    const onOther = jest.fn();
    const server = serverOf({ checkContinue: onContinue, checkExpectation: onOther });
    const setAside = freeEvents(server, true);
    expect([server.listenerCount("checkContinue"), server.listenerCount("checkExpectation")]).toEqual([0, 0]);
    setAside?.putBack();
    expect(server.listeners("checkContinue")).toEqual([onContinue]);
    expect(server.listeners("checkExpectation")).toEqual([onOther]);
  });

  test("for checkContinue get the requests that pass, on the server, and with a writeContinue that does nothing", () => {
    const ownContinue = jest.fn();
    const res = { writeContinue: ownContinue } as unknown as ServerResponse;
    const holders: unknown[] = [];
    const onContinue = jest.fn(function (this: unknown, _req: unknown, given: ServerResponse) {
      holders.push(this);
      given.writeContinue();
    });
    const server = serverOf();
    server.on("checkContinue", onContinue as never);
    expect(freeEvents(server, true)?.continueRequest(server, REQ, res)).toBe(true);
    expect(onContinue.mock.calls).toEqual([[REQ, res]]);
    expect(holders).toEqual([server]);
    expect(ownContinue).not.toHaveBeenCalled();
    expect(res.writeContinue).toBe(ownContinue);
  });

  test("for checkExpectation alone get none of them", () => {
    const onOther = jest.fn();
    const server = serverOf({ checkExpectation: onOther });
    expect(freeEvents(server, true)?.continueRequest(server, REQ, {} as ServerResponse)).toBe(false);
    expect(onOther).not.toHaveBeenCalled();
  });
});

describe("listening for expectations", () => {
  test("tells which event it was", () => {
    const server = serverOf();
    const listener = jest.fn();
    const stop = listenForExpectations(server, listener, logger() as never);
    server.emit("checkContinue", 1, 2);
    server.emit("checkExpectation", 3, 4);
    expect(listener.mock.calls).toEqual([
      ["checkContinue", 1, 2],
      ["checkExpectation", 3, 4],
    ]);
    stop();
    expect(["checkContinue", "checkExpectation", "newListener"].map((event) => server.listenerCount(event))).toEqual([
      0, 0, 0,
    ]);
  });

  test("reports once a listener that is added later", () => {
    const server = serverOf();
    const log = logger();
    listenForExpectations(server, () => {}, log as never);
    server.on("request", () => {});
    expect(log.error).not.toHaveBeenCalled();
    server.on("checkContinue", () => {});
    server.on("checkContinue", () => {});
    expect(log.error).toHaveBeenCalledTimes(1);
    const [details, message] = log.error.mock.calls[0] as [{ event: string; err: Error }, string];
    expect(details).toMatchObject({ event: "expectation.attach", err: { code: "ERR_EXPECT_LISTENERS" } });
    expect(message).toMatch(TAKEN);
    expect(message).toBe(details.err.message);
  });
});
