import { createServer } from "node:http";
import connect from "connect";
import { attach, expectations, maxSize } from "express-expectations";
import { save } from "./save.mjs";

const app = connect();
app.use("/files", expectations({ policies: [maxSize("1mb")] }));
app.use("/files", (req, res, next) => {
  save(req.url.slice(1), req).then((digest) => res.writeHead(201).end(digest), next);
});

attach(createServer(app)).listen(process.env.PORT, "127.0.0.1");
