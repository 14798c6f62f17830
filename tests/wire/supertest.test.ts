import { describe, expect, test } from "@jest/globals";
import express from "express";
import express4 from "express4";
import supertest from "supertest";
import { authorize, expectations, handshakeOf, knownLength, maxSize, mediaTypes, silent } from "../../src/index.js";

// Plain requests alone: supertest cannot send Expect.
describe.each([
  ["Express 4", express4],
  ["Express 5", express],
])("%s by supertest", (_name, framework) => {
  const app = framework();
  app.put(
    "/images/:id",
    expectations({
      logger: silent,
      policies: [
        authorize((req) => req.headers.authorization === "Bearer right", { challenge: "Bearer" }),
        knownLength(),
        mediaTypes(["image/*"]),
        maxSize("1kb"),
      ],
    }) as express.RequestHandler,
    framework.raw({ type: "*/*" }),
    (req, res) => {
      res.status(201).json({ id: req.params.id, length: req.body.length, handshake: handshakeOf(req).state });
    },
  );
  const put = () =>
    supertest(app).put("/images/7").set("Authorization", "Bearer right").set("Content-Type", "image/png");

  test("accepts an upload, and parameters reach the handler", async () => {
    const response = await put().send(Buffer.alloc(1024));
    expect(response.status).toBe(201);
    expect(response.body).toEqual({ id: "7", length: 1024, handshake: "none" });
  });

  test("refuses by size with 413 and problem details", async () => {
    const response = await put().send(Buffer.alloc(1025));
    expect(response.status).toBe(413);
    expect(response.type).toBe("application/problem+json");
    expect(response.headers.connection).toBe("close");
  });

  test("refuses by media type with 415 and Accept", async () => {
    const response = await put().set("Content-Type", "text/html").send("x");
    expect(response.status).toBe(415);
    expect(response.headers.accept).toBe("image/*");
  });

  test("refuses without credentials with 401 and a challenge", async () => {
    const response = await supertest(app).put("/images/7").set("Content-Type", "image/png").send(Buffer.alloc(5));
    expect(response.status).toBe(401);
    expect(response.headers["www-authenticate"]).toBe("Bearer");
  });

  test("refuses an unknown length with 411", async () => {
    const request = put();
    request.set("Transfer-Encoding", "chunked");
    request.write("hello");
    expect((await request).status).toBe(411);
  });

  test("lets a GET pass", async () => {
    expect((await supertest(app).get("/images/7")).status).toBe(404);
  });
});
