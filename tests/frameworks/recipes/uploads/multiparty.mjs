import express from "express";
import { attach, concurrency, expectations, maxSize } from "express-expectations";
import multiparty from "multiparty";
import { report } from "./report.mjs";

const app = express();
const guard = expectations({ policies: [concurrency({ limit: 1 }), maxSize("1mb")] });
app.post("/files", guard, (req, res, next) => {
  new multiparty.Form({ uploadDir: process.env.FOLDER }).parse(req, (error, _fields, files) => {
    if (error) next(error);
    else res.status(201).send(files.file[0].path);
  });
});
app.use(report);

attach(app.listen(process.env.PORT, "127.0.0.1"));
