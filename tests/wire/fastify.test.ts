import type { AddressInfo } from "node:net";
import fastifyMultipart from "@fastify/multipart";
import { afterEach, describe, expect, test } from "@jest/globals";
import fastify, { type FastifyInstance } from "fastify";
import { attach, expectations, maxSize, silent } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { recordingLogger } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

expectNothingDeadly();

const apps: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) {
    app.server.closeAllConnections();
    await app.close();
  }
});

function make(): FastifyInstance {
  const app = fastify();
  apps.push(app);
  app.addContentTypeParser("text/plain", { parseAs: "string" }, (_request, body, done) => done(null, body));
  app.put("/files", (request, reply) => void reply.code(201).send(`stored ${(request.body as string).length}`));
  return app;
}

async function connect(app: FastifyInstance): Promise<WireClient> {
  await app.listen({ port: 0, host: "127.0.0.1" });
  return WireClient.connect((app.server.address() as AddressInfo).port);
}

const head = (path: string, type: string, length: number, ...fields: string[]) =>
  [`PUT ${path} HTTP/1.1`, "Host: test", `Content-Type: ${type}`, `Content-Length: ${length}`, ...fields, "", ""].join(
    "\r\n",
  );
const EXPECT = "Expect: 100-continue";

describe("a guard as an onRequest hook", () => {
  function guarded() {
    const logger = recordingLogger();
    const guard = expectations({ policies: [maxSize(6)], logger });
    const app = make();
    app.addHook("onRequest", (request, reply, done) => guard(request.raw, reply.raw, done));
    return { app, logger };
  }

  test.each([
    ["accepted", "hello", 201, "stored 5"],
    ["refused", "larger than six", 413, expect.stringContaining('"status":413')],
  ])("an injected request is %s", async (_what, payload, statusCode, body) => {
    const { app } = guarded();
    const answer = await app.inject({
      method: "PUT",
      url: "/files",
      payload,
      headers: { "content-type": "text/plain" },
    });
    expect(answer).toMatchObject({ statusCode, body });
  });

  test("an injected request is refused in the middle of its content", async () => {
    const { app, logger } = guarded();
    const headers = { "content-type": "text/plain", "transfer-encoding": "chunked" };
    const answer = await app.inject({ method: "PUT", url: "/files", payload: "larger than six", headers });
    expect(answer.statusCode).toBe(413);
    expect(logger.records).toMatchObject([{ level: "warn", details: { policy: "maxSize" } }]);
  });

  test("a request of a client is refused before its content is sent, and accepted behind one 100", async () => {
    const { app } = guarded();
    attach(app.server, { logger: silent });
    const wire = await connect(app);
    wire.send(head("/files", "text/plain", 5, EXPECT));
    await wire.status(100);
    wire.send("hello");
    await wire.final();
    wire.send(head("/files", "text/plain", 7, EXPECT));
    await wire.final(2);
    expect(wire.statuses).toEqual([100, 201, 413]);
    await wire.closed();
  });
});

test("inject does not pass attach(server, { guard })", async () => {
  const app = make();
  attach(app.server, { guard: expectations({ policies: [maxSize(6)], logger: silent }), logger: silent });
  const headers = { "content-type": "text/plain" };
  const answer = await app.inject({ method: "PUT", url: "/files", payload: "larger than six", headers });
  expect(answer.statusCode).toBe(201);
  const wire = await connect(app);
  wire.send(head("/files", "text/plain", 15), "larger than six");
  expect((await wire.final()).status).toBe(413);
});

describe.each([
  ["bare", false],
  ["attached", true],
])("@fastify/multipart, %s", (_way, isAttached) => {
  const BODY = [
    "--b",
    'Content-Disposition: form-data; name="file"; filename="a.txt"',
    "Content-Type: text/plain",
    "",
    "hello",
    "--b--",
    "",
  ].join("\r\n");

  async function start(limit: number) {
    const app = make();
    await app.register(fastifyMultipart, { limits: { fileSize: limit } });
    app.put("/form", async (request, reply) => {
      const file = await request.file();
      const content = await file?.toBuffer();
      return reply.code(201).send(`${file?.filename} ${content?.length}`);
    });
    app.put("/early", (_request, reply) => void reply.code(422).send("early"));
    if (isAttached) attach(app.server, { logger: silent });
    return { app, wire: await connect(app) };
  }

  const form = (path: string, ...fields: string[]) =>
    head(path, "multipart/form-data; boundary=b", BODY.length, ...fields);

  test.each([
    ["at once", []],
    ["behind a 100", [EXPECT]],
  ])("stores a file that is sent %s", async (_how, fields) => {
    const { wire } = await start(100);
    wire.send(form("/form", ...fields));
    if (fields.length > 0) await wire.status(100);
    wire.send(BODY);
    expect((await wire.final()).body).toBe("a.txt 5");
  });

  test("responds 413 to a file over its own limit", async () => {
    const { wire } = await start(3);
    wire.send(form("/form"), BODY);
    expect((await wire.final()).status).toBe(413);
  });

  test("responds before the content is read, and closes when its client has left", async () => {
    const { app, wire } = await start(100);
    wire.send(head("/early", "multipart/form-data; boundary=b", 1_000_000), BODY);
    expect((await wire.final()).body).toBe("early");
    const closed = app.close();
    wire.destroy();
    await closed;
  });
});
