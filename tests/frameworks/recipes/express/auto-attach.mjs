import express from "express";
import { expectations, maxSize } from "express-expectations";
import { save } from "../save.mjs";

const app = express();
app.use(expectations({ policies: [maxSize("1mb")] }));

app.put("/files/:name", (req, res, next) => {
  save(req.params.name, req).then((digest) => res.status(201).send(digest), next);
});

app.listen(process.env.PORT, "127.0.0.1");
