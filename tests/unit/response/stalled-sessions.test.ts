import type { Http2Session } from "node:http2";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { StalledSessions } from "../../../src/response/stalled-sessions.js";

const PATIENCE_MS = 4_000;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A session whose socket has bytes to send. */
function sessionWith(unsent: number) {
  const socket = { writableLength: unsent, bytesRead: 0, destroy: jest.fn(), off: () => socket };
  const fields = { destroyed: false, socket };
  return { socket, fields, session: fields as never as Http2Session };
}

test("a session is ended whose client takes nothing, and the timer with it", () => {
  const { session, socket } = sessionWith(100);
  const watch = new StalledSessions(PATIENCE_MS).watch(session);
  jest.advanceTimersByTime(4_000);
  expect(socket.destroy).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1_000);
  expect(socket.destroy).toHaveBeenCalled();
  watch.leave();
  socket.writableLength = 0;
  jest.advanceTimersByTime(2_000);
  expect(jest.getTimerCount()).toBe(0);
});

test.each(["writableLength", "bytesRead"] as const)("a session goes on while its client moves %s", (field) => {
  const { session, socket } = sessionWith(100);
  new StalledSessions(PATIENCE_MS).watch(session);
  for (let i = 0; i < 10; i++) {
    jest.advanceTimersByTime(1_000);
    socket[field]++;
  }
  expect(socket.destroy).not.toHaveBeenCalled();
  jest.advanceTimersByTime(6_000);
  expect(socket.destroy).toHaveBeenCalled();
});

test("a session without anything to send is watched as long as a request is open", () => {
  const { session, socket } = sessionWith(0);
  const sessions = new StalledSessions(PATIENCE_MS);
  const watches = [sessions.watch(session), sessions.watch(session)];
  jest.advanceTimersByTime(20_000);
  expect([socket.destroy.mock.calls.length, jest.getTimerCount()]).toEqual([0, 1]);
  watches[0]?.leave();
  jest.advanceTimersByTime(1_000);
  expect(jest.getTimerCount()).toBe(1);
  watches[1]?.leave();
  jest.advanceTimersByTime(1_000);
  expect(jest.getTimerCount()).toBe(0);
});

test("a session that is gone is forgotten, and the others are not", () => {
  const [gone, other] = [sessionWith(100), sessionWith(100)];
  const sessions = new StalledSessions(PATIENCE_MS);
  sessions.watch(gone.session);
  sessions.watch(other.session);
  gone.fields.destroyed = true;
  jest.advanceTimersByTime(6_000);
  expect(gone.socket.destroy).not.toHaveBeenCalled();
  expect(other.socket.destroy).toHaveBeenCalled();
});
