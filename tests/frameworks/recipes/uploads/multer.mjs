import express from "express";
import { attach, concurrency, expectations, maxSize } from "express-expectations";
import multer from "multer";
import { report } from "./report.mjs";

const app = express();
const guard = expectations({ policies: [concurrency({ limit: 1 }), maxSize("1mb")] });
const upload = multer({ dest: process.env.FOLDER });
app.post("/files", guard, upload.single("file"), (req, res) => {
  res.status(201).send(req.file.filename);
});
app.use(report);

attach(app.listen(process.env.PORT, "127.0.0.1"));
