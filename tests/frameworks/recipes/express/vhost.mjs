import express from "express";
import { attach, expectations, maxSize } from "express-expectations";
import vhost from "vhost";
import { save } from "../save.mjs";

const uploads = express();
uploads.put("/files/:name", expectations({ policies: [maxSize("1mb")] }), (req, res, next) => {
  save(req.params.name, req).then((digest) => res.status(201).send(digest), next);
});

const app = express();
app.use(vhost("uploads.test", uploads));
attach(app.listen(process.env.PORT, "127.0.0.1"));
