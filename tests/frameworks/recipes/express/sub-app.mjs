import express from "express";
import { attach, expectations, maxSize } from "express-expectations";
import { save } from "../save.mjs";

const files = express();
files.use(expectations({ policies: [maxSize("1mb")] }));
files.put("/:name", (req, res, next) => {
  save(req.params.name, req).then((digest) => res.status(201).send(digest), next);
});

const app = express();
app.use("/files", files);
attach(app.listen(process.env.PORT, "127.0.0.1"));
