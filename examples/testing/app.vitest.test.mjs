import { handshake, handshakeMatchers } from "express-expectations/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { app } from "./app.cjs";

expect.extend(handshakeMatchers);

const image = () => handshake(app).put("/images/1").set("Content-Type", "image/png");

test("refuses what is too large before it is sent", async () => {
  expect(await image().withhold(100_000_000)).toBeRefusedBeforeContent(413);
});

test("refuses other media types before they are sent", async () => {
  expect(await image().set("Content-Type", "text/plain").withhold(5)).toBeRefusedBeforeContent(415);
});

test("takes an image", async () => {
  const answer = await image().send("picture");
  expect(answer).toContinueOnce(201);
  expect(answer.body).toBe("7 bytes\n");
});

describe("with fake timers", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("refuses what is too large before it is sent", async () => {
    expect(await image().withhold(100_000_000)).toMatchObject({
      status: 413,
      sentBytes: 0,
      continues: 0,
      isClosed: true,
    });
  });

  test("takes an image", async () => {
    await image().send("picture").expectContinue(201);
  });
});
