import { attach, expectations, maxSize } from "express-expectations";
import polka from "polka";
import { save } from "./save.mjs";

const app = polka();
app.put("/files/:name", expectations({ policies: [maxSize("1mb")] }), (req, res, next) => {
  save(req.params.name, req).then((digest) => res.writeHead(201).end(digest), next);
});

app.listen(process.env.PORT, "127.0.0.1");
attach(app.server);
