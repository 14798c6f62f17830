import express from "express";
import { attach, concurrency, expectations, maxSize } from "express-expectations";
import formidable from "formidable";
import { report } from "./report.mjs";

const app = express();
const guard = expectations({ policies: [concurrency({ limit: 1 }), maxSize("1mb")] });
app.post("/files", guard, async (req, res) => {
  const [, files] = await formidable({ uploadDir: process.env.FOLDER }).parse(req);
  res.status(201).send(files.file[0].newFilename);
});
app.use(report);

attach(app.listen(process.env.PORT, "127.0.0.1"));
