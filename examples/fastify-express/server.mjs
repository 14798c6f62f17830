import fastifyExpress from "@fastify/express";
import { attach, expectations, maxSize, mediaTypes } from "express-expectations";
import fastify from "fastify";

/**
 * Starts the server.
 *
 * @param port - 0 for a free one.
 */
export async function start(port = 0) {
  const app = fastify();
  await app.register(fastifyExpress);

  app.use("/images", expectations({ policies: [mediaTypes(["image/*"]), maxSize("1mb")] }));
  // Fastify hands the content on as it is: the 100 goes out when the handler reads it.
  app.addContentTypeParser("*", (_request, content, done) => done(null, content));
  app.put("/images/:id", async (request, reply) => {
    let length = 0;
    for await (const chunk of request.body) length += chunk.length;
    return reply.code(201).send(`${length} bytes\n`);
  });

  attach(app.server);
  await app.listen({ port, host: "127.0.0.1" });
  return app.server;
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.argv[2] ?? 3000));
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
}
