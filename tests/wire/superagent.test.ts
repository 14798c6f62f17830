import { createServer } from "node:http";
import { afterEach, describe, expect, test } from "@jest/globals";
import express from "express";
import express4 from "express4";
import superagent from "superagent";
import { attach, expectations, maxSize, silent } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { closeServers, listen } from "../helpers/servers.js";

expectNothingDeadly();
afterEach(closeServers);

// The server of superagent's own tests: its response's head is out before the content is read.
describe.each([
  ["Express 4", express4],
  ["Express 5", express],
])("the echo of superagent's tests, on %s", (_version, make) => {
  async function start(way: "bare" | "attached" | "guarded") {
    const app = make();
    if (way === "guarded")
      app.use(expectations({ policies: [maxSize("1mb")], logger: silent }) as express.RequestHandler);
    app.all("/echo", (req, res) => {
      res.writeHead(200, req.headers as Record<string, string>);
      req.pipe(res);
    });
    const server = createServer(app);
    const { port } = await listen(way === "bare" ? server : attach(server, { logger: silent }));
    return `http://127.0.0.1:${port}/echo`;
  }

  describe.each(["bare", "attached", "guarded"] as const)("%s", (way) => {
    test("sends JSON back", async () => {
      const response = await superagent.post(await start(way)).send({ name: "tobi" });
      expect(response.body).toEqual({ name: "tobi" });
    });

    test("sends a form back", async () => {
      const response = await superagent
        .post(await start(way))
        .type("form")
        .send({ name: "tobi" });
      expect(response.text).toBe("name=tobi");
    });

    test("sends large text back", async () => {
      const text = "x".repeat(300_000);
      const response = await superagent
        .put(await start(way))
        .type("text/plain")
        .send(text);
      expect(response.text).toBe(text);
    });

    test("sends chunked content back", async () => {
      const request = superagent
        .post(await start(way))
        .type("text/plain")
        .buffer(true);
      request.write("hel");
      request.write("lo");
      expect((await request).text).toBe("hello");
    });

    test("responds to a request without content", async () => {
      expect((await superagent.get(await start(way))).status).toBe(200);
    });
  });
});
