import { EventEmitter } from "node:events";
import type { ServerHttp2Stream } from "node:http2";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { LingeringStreams } from "../../../src/response/stream-linger.js";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

type Acknowledge = (error: Error | null) => void;

/** A session that keeps the PINGs that are sent on it. */
function sessionOf({ pings }: { pings: boolean | "throws" } = { pings: true }) {
  const sent: Acknowledge[] = [];
  const session = {
    destroyed: false,
    ping(acknowledge: Acknowledge) {
      if (pings === "throws") throw new Error("closing");
      if (pings) sent.push(acknowledge);
      return pings;
    },
  };
  return { session, sent };
}

/** The turn of the event loop behind which the next PING is sent. */
const turn = () => void jest.advanceTimersByTime(0);

function streamOf(session: object | undefined): ServerHttp2Stream {
  return Object.assign(new EventEmitter(), { session, destroyed: false }) as unknown as ServerHttp2Stream;
}

describe("a stream", () => {
  test("is closed when the PING behind it is acknowledged", () => {
    const { session, sent } = sessionOf();
    const streams = new LingeringStreams(10);
    const close = jest.fn();
    streams.add(streamOf(session), close);
    expect([streams.size, sent.length, close.mock.calls.length]).toEqual([1, 1, 0]);
    sent[0]?.(null);
    expect([streams.size, close.mock.calls.length]).toEqual([0, 1]);
    jest.advanceTimersByTime(2_000);
    expect(close).toHaveBeenCalledTimes(1);
  });

  test("is closed after a second without an acknowledgement", () => {
    const { session } = sessionOf();
    const close = jest.fn();
    new LingeringStreams(10).add(streamOf(session), close);
    jest.advanceTimersByTime(999);
    expect(close).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(close).toHaveBeenCalledTimes(1);
  });

  test.each([{ pings: false }, { pings: "throws" }] as const)(
    "waits a second if no PING can be sent: %j",
    (options) => {
      const { session } = sessionOf(options);
      const close = jest.fn();
      new LingeringStreams(10).add(streamOf(session), close);
      jest.advanceTimersByTime(999);
      expect(close).not.toHaveBeenCalled();
      jest.advanceTimersByTime(1);
      expect(close).toHaveBeenCalledTimes(1);
    },
  );

  test("waits a second if its PING is cancelled", () => {
    const { session, sent } = sessionOf();
    const close = jest.fn();
    new LingeringStreams(10).add(streamOf(session), close);
    sent[0]?.(new Error("cancelled"));
    expect(close).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1_000);
    expect(close).toHaveBeenCalledTimes(1);
  });

  test("that closes by itself is forgotten, with its timer", () => {
    const { session, sent } = sessionOf();
    const streams = new LingeringStreams(10);
    const close = jest.fn();
    const stream = streamOf(session);
    streams.add(stream, close);
    stream.emit("close");
    expect(streams.size).toBe(0);
    jest.advanceTimersByTime(250);
    expect(jest.getTimerCount()).toBe(0);
    sent[0]?.(null);
    expect(close).not.toHaveBeenCalled();
  });

  test("that is added again waits once", () => {
    const { session, sent } = sessionOf();
    const streams = new LingeringStreams(10);
    const close = jest.fn();
    const stream = streamOf(session);
    for (const _ of [1, 2]) streams.add(stream, close);
    turn();
    expect([streams.size, sent.length]).toEqual([1, 1]);
    sent[0]?.(null);
    expect([streams.size, close.mock.calls.length]).toEqual([0, 1]);
  });

  test("that is gone is not waited for", () => {
    const { session } = sessionOf();
    const streams = new LingeringStreams(10);
    streams.add(Object.assign(streamOf(session), { destroyed: true }), () => {});
    streams.add(streamOf(undefined), () => {});
    expect([streams.size, jest.getTimerCount()]).toEqual([0, 0]);
  });
});

describe("several streams", () => {
  test("of one turn share two PINGs, one with the first response and one behind the others, and close together", () => {
    const { session, sent } = sessionOf();
    const streams = new LingeringStreams(10);
    const closed: number[] = [];
    for (const i of [1, 2, 3]) streams.add(streamOf(session), () => closed.push(i));
    expect(sent).toHaveLength(1);
    turn();
    expect(sent).toHaveLength(2);
    sent[0]?.(null);
    expect(closed).toEqual([]);
    sent[1]?.(null);
    expect([closed, sent.length]).toEqual([[1, 2, 3], 2]);
    streams.add(streamOf(session), () => closed.push(4));
    expect(sent).toHaveLength(3);
    sent[2]?.(null);
    expect(closed).toEqual([1, 2, 3, 4]);
  });

  test("wait for the next PING while two are under way, and for no more than one that is not theirs", () => {
    const { session, sent } = sessionOf();
    const streams = new LingeringStreams(10);
    const closed: number[] = [];
    for (const i of [1, 2, 3, 4]) {
      streams.add(streamOf(session), () => closed.push(i));
      turn();
    }
    expect(sent).toHaveLength(2);
    sent[0]?.(null);
    expect([closed, sent.length]).toEqual([[], 3]);
    sent[1]?.(null);
    expect(closed).toEqual([1]);
    sent[2]?.(null);
    expect(closed).toEqual([1, 2, 3, 4]);
  });

  test("of a session that was destroyed are not asked about again", () => {
    const { session, sent } = sessionOf();
    const streams = new LingeringStreams(10);
    for (const _ of [1, 2]) streams.add(streamOf(session), () => {});
    session.destroyed = true;
    turn();
    sent[0]?.(new Error("cancelled"));
    expect(sent).toHaveLength(1);
  });

  test("of other sessions have a PING of their own", () => {
    const [a, b] = [sessionOf(), sessionOf()];
    const streams = new LingeringStreams(10);
    streams.add(streamOf(a.session), () => {});
    streams.add(streamOf(b.session), () => {});
    expect([a.sent.length, b.sent.length]).toEqual([1, 1]);
  });

  test("are as many as may wait: the oldest is closed for the next", () => {
    const { session } = sessionOf();
    const streams = new LingeringStreams(2);
    const closed: number[] = [];
    for (const i of [1, 2, 3, 4]) streams.add(streamOf(session), () => closed.push(i));
    expect([closed, streams.size]).toEqual([[1, 2], 2]);
  });
});
