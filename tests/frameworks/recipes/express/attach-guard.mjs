import express from "express";
import { attach, expectations, maxSize } from "express-expectations";
import { save } from "../save.mjs";

const app = express();
app.put("/files/:name", (req, res, next) => {
  save(req.params.name, req).then((digest) => res.status(201).send(digest), next);
});

const guard = expectations({ policies: [maxSize("1mb")] });
attach(app.listen(process.env.PORT, "127.0.0.1"), { guard });
