import assert from "node:assert";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { assertContinuedOnce, assertRefusedBeforeContent, handshake } from "express-expectations/testing";
import { app } from "./app.cjs";

const image = () => handshake(app).put("/images/1").set("Content-Type", "image/png");

test("refuses what is too large before it is sent", async () => {
  assertRefusedBeforeContent(await image().withhold(100_000_000), 413);
});

test("refuses other media types before they are sent", async () => {
  assertRefusedBeforeContent(await image().set("Content-Type", "text/plain").withhold(5), 415);
});

test("takes an image", async () => {
  const answer = await image().send("picture");
  assertContinuedOnce(answer, 201);
  assert.equal(answer.body, "7 bytes\n");
});

describe("with mocked timers", () => {
  beforeEach(() => mock.timers.enable());
  afterEach(() => mock.timers.reset());

  test("refuses what is too large before it is sent", async () => {
    const { status, sentBytes, continues, isClosed } = await image().withhold(100_000_000);
    assert.deepEqual(
      { status, sentBytes, continues, isClosed },
      { status: 413, sentBytes: 0, continues: 0, isClosed: true },
    );
  });

  test("takes an image", async () => {
    await image().send("picture").expectContinue(201);
  });
});
