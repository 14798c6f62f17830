import type { IncomingMessage } from "node:http";
import { expect, test } from "@jest/globals";
import type { ServerContext } from "../../../src/handshake/context.js";
import { hasPassed, markPassed } from "../../../src/server/gate.js";

test("a request remembers each gate that it has passed", () => {
  const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => ({ name }) as unknown as ServerContext);
  const req = {} as IncomingMessage;
  const passed = () => [a, b, c, d].filter((context) => hasPassed(req, context as ServerContext));
  expect(passed()).toEqual([]);
  const expected: unknown[] = [];
  for (const context of [a, b, c]) {
    markPassed(req, context as ServerContext);
    expected.push(context);
    expect(passed()).toEqual(expected);
  }
});
