import "reflect-metadata";
import { NestFactory } from "@nestjs/core";
import { attach, expectations, maxSize } from "express-expectations";
import { FilesModule } from "./nest-files.js";

const app = await NestFactory.create(FilesModule, { bodyParser: false });
app.use("/files", expectations({ policies: [maxSize("1mb")] }));
attach(app.getHttpServer());
await app.listen(Number(process.env.PORT), "127.0.0.1");
