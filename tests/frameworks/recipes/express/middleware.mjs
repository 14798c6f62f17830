import express from "express";
import { attach, expectations, maxSize } from "express-expectations";
import { save } from "../save.mjs";

const app = express();
const guard = expectations({ policies: [maxSize("1mb")] });

app.put("/files/:name", guard, (req, res, next) => {
  save(req.params.name, req).then((digest) => res.status(201).send(digest), next);
});

attach(app.listen(process.env.PORT, "127.0.0.1"));
