import { attach, expectations, maxSize } from "express-expectations";
import Fastify from "fastify";
import { save } from "./save.mjs";

const guard = expectations({ policies: [maxSize("1mb")] });
const app = Fastify();
app.addHook("onRequest", (request, reply, done) => guard(request.raw, reply.raw, done));
app.addContentTypeParser("*", (_request, content, done) => done(null, content));
app.put("/files/:name", async (request, reply) => {
  return reply.code(201).send(await save(request.params.name, request.body));
});

attach(app.server);
await app.listen({ port: process.env.PORT, host: "127.0.0.1" });
