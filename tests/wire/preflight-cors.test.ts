import * as http from "node:http";
import { afterEach, describe, expect, test } from "@jest/globals";
import cors from "cors";
import express from "express";
import { rateLimit } from "express-rate-limit";
import { attach, authorize, expectations, maxSize, preflight, silent } from "../../src/index.js";
import { closeServers, listen, store } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

afterEach(closeServers);

const ORIGIN = "Origin: https://app.example";
const CORS = {
  origin: ["https://app.example"],
  credentials: true,
  methods: ["PUT", "OPTIONS"],
  exposedHeaders: ["Upload-Verdict", "Upload-Limit"],
};

/** As docs/browsers.md says. */
function application() {
  const app = express();
  const guard = expectations({
    logger: silent,
    policies: [
      authorize((req: express.Request) => req.get("authorization") === "Bearer yes", { challenge: "Bearer" }),
      maxSize("10mb"),
    ],
  });
  app.options("/images/:id", cors({ ...CORS, preflightContinue: true }), preflight(guard));
  app.use(cors(CORS));
  app.put("/images/:id", guard, store as express.RequestHandler);
  return app;
}

async function serve(app: express.Express) {
  const { port } = await listen(attach(http.createServer(app), { logger: silent }));
  const wire = await WireClient.connect(port);
  let asked = 0;
  return (...fields: string[]) => {
    wire.send(["OPTIONS /images/7 HTTP/1.1", "Host: test", ...fields, "", ""].join("\r\n"));
    return wire.final(++asked);
  };
}

describe("beside the package cors", () => {
  test("the browser's own preflight request is answered by cors, for the question and for the upload", async () => {
    const ask = await serve(application());
    for (const method of ["OPTIONS", "PUT"]) {
      const headers = "upload-length,upload-method,authorization";
      const { status, headers: answer } = await ask(
        ORIGIN,
        `Access-Control-Request-Method: ${method}`,
        `Access-Control-Request-Headers: ${headers}`,
      );
      expect({ status, ...answer }).toMatchObject({
        status: 204,
        "access-control-allow-origin": "https://app.example",
        "access-control-allow-credentials": "true",
        "access-control-allow-headers": headers,
        vary: expect.stringContaining("Origin"),
      });
      expect(answer).not.toHaveProperty("upload-verdict");
      expect(answer).not.toHaveProperty("upload-limit");
    }
  });

  test("the question is answered with the fields of cors, so that the page may read the answer", async () => {
    const ask = await serve(application());
    const yes = await ask(ORIGIN, "Authorization: Bearer yes", "Upload-Length: 5");
    expect({ status: yes.status, ...yes.headers }).toMatchObject({
      status: 204,
      "access-control-allow-origin": "https://app.example",
      "access-control-expose-headers": "Upload-Verdict,Upload-Limit",
      "upload-verdict": "accept",
      vary: "Origin, Access-Control-Request-Headers, *",
    });
    const no = await ask(ORIGIN, "Authorization: Bearer yes", "Upload-Length: 10485761");
    expect({ status: no.status, ...no.headers }).toMatchObject({
      status: 413,
      "access-control-allow-origin": "https://app.example",
      "upload-verdict": "refuse",
    });
  });

  test("a page of another origin may not read the answer", async () => {
    const ask = await serve(application());
    const { headers } = await ask("Origin: https://evil.example", "Authorization: Bearer yes", "Upload-Length: 5");
    expect(headers).not.toHaveProperty("access-control-allow-origin");
  });

  test("who may not upload learns nothing but that", async () => {
    const ask = await serve(application());
    const bodies = [];
    for (const fields of [["Upload-Length: 5"], ["Upload-Length: 10485761"]]) {
      const { status, headers, body } = await ask(...fields);
      expect(status).toBe(401);
      expect(headers).not.toHaveProperty("upload-limit");
      bodies.push(body);
    }
    expect(bodies[0]).toBe(bodies[1]);
    const limits = await ask();
    expect(limits.status).toBe(204);
    expect(limits.headers).not.toHaveProperty("upload-limit");
  });

  test("methods of cors must list what the question itself is sent with", async () => {
    const ask = await serve(application());
    const { headers } = await ask(ORIGIN, "Access-Control-Request-Method: OPTIONS");
    expect(headers["access-control-allow-methods"]).toContain("OPTIONS");
  });
});

test("a rate limit in front holds for questions, which then have no verdict", async () => {
  const app = express();
  const guard = expectations({ logger: silent, policies: [maxSize("10mb")] });
  app.use(rateLimit({ windowMs: 60_000, limit: 3, validate: false }));
  app.options("/images/:id", preflight(guard));
  const ask = await serve(app);
  const answers = [];
  for (let n = 0; n < 5; n++) answers.push(await ask("Upload-Length: 5"));
  expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 429, 429]);
  expect(answers.at(-1)?.headers).not.toHaveProperty("upload-verdict");
});
