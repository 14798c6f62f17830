import "reflect-metadata";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import { attach, expectations, maxSize } from "express-expectations";
import { FilesModule } from "./nest-files.js";

const app = await NestFactory.create<NestFastifyApplication>(FilesModule, new FastifyAdapter(), { bodyParser: false });
app
  .getHttpAdapter()
  .getInstance()
  .addContentTypeParser("*", (_request, content, done) => done(null, content));
attach(app.getHttpServer(), { guard: expectations({ policies: [maxSize("1mb")] }) });
await app.listen(Number(process.env.PORT), "127.0.0.1");
