import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import express from "express";
import { attach, expectations, maxSize } from "express-expectations";
import { save } from "../save.mjs";

const app = express();
app.put("/files/:name", expectations({ policies: [maxSize("1mb")] }), (req, res, next) => {
  save(req.params.name, req).then((digest) => res.status(201).send(digest), next);
});

const pems = { key: readFileSync(process.env.KEY), cert: readFileSync(process.env.CERT) };
attach(createServer(pems, app)).listen(process.env.PORT, "127.0.0.1");
