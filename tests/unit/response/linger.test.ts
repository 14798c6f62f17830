import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { LingeringSockets } from "../../../src/response/linger.js";

const LIMITS = { lingerMs: 1_000, lingerBytes: 1_000, maxLingering: 10 };

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A socket that is still sending its response. */
function sending() {
  const socket = Object.assign(new EventEmitter(), {
    destroyed: false,
    writableLength: 100,
    destroy: jest.fn(() => {
      socket.destroyed = true;
    }),
  });
  return { socket: socket as unknown as Socket, destroy: socket.destroy, fields: socket };
}

describe("a response that is not sent in time", () => {
  test("is ended, and the timer with it", () => {
    const { socket, destroy } = sending();
    const lingering = new LingeringSockets(LIMITS);
    lingering.expect(socket);
    jest.advanceTimersByTime(950);
    expect(destroy).not.toHaveBeenCalled();
    jest.advanceTimersByTime(100);
    expect(destroy).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
    expect(lingering.size).toBe(0);
  });

  test("has its time from the first call on", () => {
    const { socket, destroy } = sending();
    const lingering = new LingeringSockets(LIMITS);
    lingering.expect(socket);
    jest.advanceTimersByTime(600);
    lingering.expect(socket);
    jest.advanceTimersByTime(450);
    expect(destroy).toHaveBeenCalledTimes(1);
  });

  test("is given more time while its client takes some of it", () => {
    const { socket, destroy, fields } = sending();
    new LingeringSockets(LIMITS).expect(socket, 300);
    for (let left = 99; left > 90; left--) {
      jest.advanceTimersByTime(200);
      fields.writableLength = left;
    }
    expect(destroy).not.toHaveBeenCalled();
    jest.advanceTimersByTime(400);
    expect(destroy).toHaveBeenCalledTimes(1);
  });

  test("does not keep a socket that is gone", () => {
    const { socket, fields } = sending();
    fields.destroyed = true;
    new LingeringSockets(LIMITS).expect(socket);
    expect(jest.getTimerCount()).toBe(0);
  });
});

test.each([
  ["oldest", 0],
  ["one in between", 1],
  ["youngest", 2],
])("the others are still ended when the %s has gone by itself", (_which, gone) => {
  const lingering = new LingeringSockets(LIMITS);
  const all = [sending(), sending(), sending()];
  for (const { socket } of all) lingering.expect(socket);
  (all[gone] as ReturnType<typeof sending>).socket.emit("close");
  const late = sending();
  lingering.expect(late.socket);
  jest.advanceTimersByTime(1_050);
  expect(all.map(({ destroy }) => destroy.mock.calls.length)).toEqual([0, 1, 2].map((i) => (i === gone ? 0 : 1)));
  expect(late.destroy).toHaveBeenCalledTimes(1);
  expect(jest.getTimerCount()).toBe(0);
});
