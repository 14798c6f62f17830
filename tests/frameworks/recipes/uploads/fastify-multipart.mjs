import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import multipart from "@fastify/multipart";
import { attach, concurrency, expectations, maxSize } from "express-expectations";
import Fastify from "fastify";

const app = Fastify();
await app.register(multipart, { limits: { fileSize: 2 ** 30 } });
app.post("/files", async (request, reply) => {
  const { file, filename } = await request.file();
  const path = `${process.env.FOLDER}/${Date.now()}-${filename}`;
  await pipeline(file, createWriteStream(path)).catch(async (error) => {
    console.log(`handler: ${error.code ?? error.message}`);
    await rm(path, { force: true });
    throw error;
  });
  return reply.code(201).send(path);
});

const guard = expectations({ policies: [concurrency({ limit: 1 }), maxSize("1mb")] });
attach(app.server, { guard });
await app.listen({ port: process.env.PORT, host: "127.0.0.1" });
