import { EventEmitter } from "node:events";
import { constants } from "node:http2";
import { setImmediate } from "node:timers/promises";
import { describe, expect, jest, test } from "@jest/globals";
import type { Handshake } from "../../../src/handshake/handshake.js";
import { closeSeenStream, cut, endBegun } from "../../../src/response/closing.js";

function handshakeOf(facts: object) {
  const res = Object.assign(new EventEmitter(), { destroy: jest.fn(), socket: null, writableEnded: false });
  const content = { closeStream: jest.fn(), fail: jest.fn() };
  const close = jest.fn();
  const refusal = { status: 413 };
  return { res, content, close, refusal, socket: undefined, stream: undefined, isAnswered: false, ...facts };
}

const cutOff = (handshake: object) => cut(handshake as Handshake);

describe("a response is cut", () => {
  test("by the reset of its stream, and not within the read that is under way", async () => {
    const stream = { close: jest.fn() };
    cutOff(handshakeOf({ stream }));
    expect(stream.close).not.toHaveBeenCalled();
    await setImmediate();
    expect(stream.close.mock.calls).toEqual([[constants.NGHTTP2_CANCEL]]);
  });

  test("by its connection", () => {
    const socket = { destroy: jest.fn() };
    const handshake = handshakeOf({ socket });
    handshake.res.socket = socket as never;
    cutOff(handshake);
    expect(socket.destroy).toHaveBeenCalledTimes(1);
  });

  test("by an error if it was injected, for those who listen, and its handshake is over", async () => {
    const handshake = handshakeOf({});
    const errors: unknown[] = [];
    handshake.res.on("error", (error) => errors.push(error));
    cutOff(handshake);
    const error = expect.objectContaining({
      code: "ERR_EXPECT_REFUSED",
      message: "the response was cut: refused with 413",
    });
    expect(handshake.res.destroy.mock.calls).toEqual([[error]]);
    expect([errors, handshake.close.mock.calls.length]).toEqual([[], 0]);
    await setImmediate();
    expect(errors).toEqual([error]);
    expect(handshake.close).toHaveBeenCalledTimes(1);
  });

  test("without an error that nobody listens for", async () => {
    const handshake = handshakeOf({});
    cutOff(handshake);
    await setImmediate();
    expect(handshake.close).toHaveBeenCalledTimes(1);
  });

  test("later, if its application may end it in between", async () => {
    const socket = { destroy: jest.fn() };
    const handshake = handshakeOf({ socket });
    handshake.res.socket = socket as never;
    endBegun(handshake as unknown as Handshake);
    expect(socket.destroy).not.toHaveBeenCalled();
    await setImmediate();
    expect(socket.destroy).toHaveBeenCalledTimes(1);
  });
});

describe("a stream whose response its client has seen", () => {
  test.each([
    ["somebody reads", { hasReader: true }, 1],
    ["nobody reads", { hasReader: false }, 0],
    ["somebody read to the end", { hasReader: true, hasArrived: true }, 0],
  ])("is closed, and a reader is told: %s", (_what, facts, failures) => {
    const stream = {};
    const addStream = jest.fn<(stream: unknown, close: () => void) => void>();
    const handshake = handshakeOf({
      stream,
      hasArrived: false,
      refusal: undefined,
      context: { lingering: { addStream } },
      ...facts,
    });
    closeSeenStream(handshake as unknown as Handshake, stream as never);
    const [given, close] = addStream.mock.calls[0] as [unknown, () => void];
    expect(given).toBe(stream);
    expect([handshake.content.closeStream, handshake.close].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
    close();
    expect([handshake.content.closeStream, handshake.close].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    const failure = ["ERR_EXPECT_TOO_LATE", "the final response ended the upload"];
    expect(handshake.content.fail.mock.calls).toEqual(Array.from({ length: failures }, () => failure));
  });
});
