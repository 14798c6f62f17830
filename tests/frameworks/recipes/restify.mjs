import { attach, expectations, maxSize } from "express-expectations";
import restify from "restify";
import { save } from "./save.mjs";

const app = restify.createServer();
app.put("/files/:name", (req, res, next) => {
  save(req.params.name, req).then((digest) => {
    res.send(201, digest);
    next();
  }, next);
});

const guard = expectations({ policies: [maxSize("1mb")] });
attach(app.server, { guard, replaceListeners: true }).listen(process.env.PORT, "127.0.0.1");
