import "reflect-metadata";
import { Controller, Module, Put, Req, Res } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { attach, expectations, maxSize, mediaTypes } from "express-expectations";

class ImagesController {
  async store(req, res) {
    let length = 0;
    for await (const chunk of req) length += chunk.length;
    res.status(201).send(`${length} bytes\n`);
  }
}

class AppModule {
  configure(consumer) {
    const guard = expectations({ policies: [mediaTypes(["image/*"]), maxSize("1mb")] });
    consumer.apply(guard).forRoutes(ImagesController);
  }
}

// What decorators do in TypeScript: @Controller("images"), @Put(":id"), @Req(), @Res(), @Module({ … }).
const { prototype } = ImagesController;
Controller("images")(ImagesController);
Put(":id")(prototype, "store", Object.getOwnPropertyDescriptor(prototype, "store"));
Req()(prototype, "store", 0);
Res()(prototype, "store", 1);
Module({ controllers: [ImagesController] })(AppModule);

/**
 * Starts the server.
 *
 * @param port - 0 for a free one.
 */
export async function start(port = 0) {
  // Nest's own body parsers stand in front of every middleware: what they read, no guard can refuse any more.
  const app = await NestFactory.create(AppModule, { bodyParser: false, logger: false });
  const server = attach(app.getHttpServer());
  await app.listen(port, "127.0.0.1");
  return server;
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.argv[2] ?? 3000));
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
}
