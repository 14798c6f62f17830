import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import busboy from "busboy";
import express from "express";
import { attach, concurrency, expectations, maxSize } from "express-expectations";
import { report } from "./report.mjs";

const app = express();
const guard = expectations({ policies: [concurrency({ limit: 1 }), maxSize("1mb")] });
app.post("/files", guard, async (req, res) => {
  const form = busboy({ headers: req.headers });
  const stored = [];
  form.on("file", (_field, file) => {
    const path = `${process.env.FOLDER}/${stored.length}-${Date.now()}`;
    stored.push(pipeline(file, createWriteStream(path)).catch(() => rm(path, { force: true })));
  });
  await pipeline(req, form);
  await Promise.all(stored);
  res.status(201).end();
});
app.use(report);

attach(app.listen(process.env.PORT, "127.0.0.1"));
