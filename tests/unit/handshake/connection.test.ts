import { Socket } from "node:net";
import { describe, expect, jest, test } from "@jest/globals";
import { type Connection, connectionOf, isFollowed, openConnection } from "../../../src/handshake/connection.js";
import type { Handshake } from "../../../src/handshake/handshake.js";

const KEY = Symbol.for("express-expectations:connection:2");

function handshakeOf(facts: object = {}) {
  return { isDispatched: true, close: jest.fn(), abandonContent: jest.fn(), ...facts } as unknown as Handshake;
}

describe("a connection", () => {
  test("is made once for each socket, empty", () => {
    const socket = new Socket();
    expect(connectionOf(socket)).toBeUndefined();
    const connection = openConnection(socket);
    expect(connection).toEqual({
      lastResponse: undefined,
      lingersFor: undefined,
      open: [],
      unfinished: undefined,
      held: [],
    });
    expect(openConnection(socket)).toBe(connection);
    expect(connectionOf(socket)).toBe(connection);
    expect(socket.listenerCount("close")).toBe(1);
    expect(openConnection(new Socket())).not.toBe(connection);
    expect(connectionOf(undefined)).toBeUndefined();
  });

  test("is the same for both copies of the package", () => {
    const made = { open: [], held: [] } as unknown as Connection;
    const socket = Object.assign(new Socket(), { [KEY]: made });
    expect(openConnection(socket)).toBe(made);
  });

  test("that is gone closes its handshakes, and the content of the one that is not whole", () => {
    const socket = new Socket();
    const connection = openConnection(socket);
    const [a, b, unfinished] = [handshakeOf(), handshakeOf(), handshakeOf()];
    connection.open = [a, b] as never;
    connection.unfinished = unfinished as never;
    socket.emit("close");
    for (const { close } of [a, b] as Handshake[]) expect(close).toHaveBeenCalledTimes(1);
    expect((unfinished as Handshake).abandonContent).toHaveBeenCalledTimes(1);
    expect((unfinished as Handshake).close).not.toHaveBeenCalled();
  });
});

test("a request is followed if one behind it has been handed on", () => {
  const socket = new Socket();
  const [first, second, third] = [{}, {}, { isDispatched: false }].map((facts) => handshakeOf({ socket, ...facts }));
  expect(isFollowed(first as Handshake)).toBe(false);
  openConnection(socket).open = [first, second, third] as never;
  expect(isFollowed(first as Handshake)).toBe(true);
  expect(isFollowed(second as Handshake)).toBe(false);
  expect(isFollowed(third as Handshake)).toBe(false);
  expect(isFollowed(handshakeOf({ socket: undefined }))).toBe(false);
});
