import { test } from "node:test";
import supertest from "supertest";
import { makeApp } from "./app.mjs";

test("the same verdicts, without the handshake", async () => {
  const put = (type, content) => supertest(makeApp()).put("/images/1").set("Content-Type", type).send(content);
  await put("image/png", Buffer.from("hello")).expect(201, "stored 5");
  await put("text/plain", "hello").expect(415);
  await put("image/png", Buffer.alloc(1_025)).expect(413);
});
