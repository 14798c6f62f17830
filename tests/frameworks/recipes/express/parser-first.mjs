import { Readable } from "node:stream";
import express from "express";
import { attach, expectations, maxSize } from "express-expectations";
import { save } from "../save.mjs";

const app = express();
const guard = expectations({ policies: [maxSize("1mb")] });
app.use(express.raw({ type: "*/*", limit: "8mb" }));
app.put("/files/:name", (req, res, next) => {
  save(req.params.name, Readable.from([req.body])).then((digest) => res.status(201).send(digest), next);
});

attach(app.listen(process.env.PORT, "127.0.0.1"), { guard });
