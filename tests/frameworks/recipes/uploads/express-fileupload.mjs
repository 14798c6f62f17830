import express from "express";
import { attach, concurrency, expectations, maxSize } from "express-expectations";
import fileUpload from "express-fileupload";
import { report } from "./report.mjs";

const app = express();
const guard = expectations({ policies: [concurrency({ limit: 1 }), maxSize("1mb")] });
const parse = fileUpload({ useTempFiles: true, tempFileDir: process.env.FOLDER, uploadTimeout: 1_000 });
app.post("/files", guard, parse, (req, res, next) => {
  if (!req.files) return next(new Error("the upload has no end"));
  res.status(201).send(req.files.file.tempFilePath);
});
app.use(report);

attach(app.listen(process.env.PORT, "127.0.0.1"));
