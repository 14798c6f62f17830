import type { Socket } from "node:net";
import { expect, test } from "@jest/globals";
import { Crowd } from "../../../src/response/crowd.js";

const from = (remoteAddress: string | undefined) => ({ remoteAddress }) as Socket;

test("nobody is the largest of none", () => {
  expect(new Crowd([]).largest()).toBeUndefined();
});

test("the largest is the address with the most sockets, the first of those that have as many", () => {
  const crowd = new Crowd([from("a"), from("b"), from("b"), from("c")]);
  expect(crowd.largest()).toBe("b");
  crowd.add(from("c"));
  expect(crowd.largest()).toBe("b");
  crowd.add(from("c"));
  expect(crowd.largest()).toBe("c");
  crowd.remove(from("c"));
  crowd.remove(from("c"));
  expect(crowd.largest()).toBe("b");
  crowd.remove(from("b"));
  expect(crowd.largest()).toBe("a");
});

test("an address without sockets is forgotten", () => {
  const crowd = new Crowd([from("a")]);
  crowd.remove(from("a"));
  expect(crowd.largest()).toBeUndefined();
  crowd.remove(from("a"));
  crowd.add(from("b"));
  expect(crowd.largest()).toBe("b");
});

test("sockets without an address are counted together", () => {
  const crowd = new Crowd([from("a"), from(undefined), from(undefined)]);
  crowd.add(from("a"));
  crowd.add(from("a"));
  expect(crowd.largest()).toBe("a");
});
