import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";
import express from "express";
import { attach, concurrency, expectations, maxSize } from "express-expectations";

const app = express();
const guard = expectations({ policies: [concurrency({ limit: 1 }), maxSize("1mb")] });
const tus = new Server({ path: "/files", datastore: new FileStore({ directory: process.env.FOLDER }) });
app.all("/files{/:id}", guard, (req, res) => tus.handle(req, res));

attach(app.listen(process.env.PORT, "127.0.0.1"));
