import express from "express";
import { attach, expectations, maxSize } from "express-expectations";
import { save } from "../save.mjs";

const router = express.Router();
router.use(expectations({ policies: [maxSize("1mb")] }));
router.put("/:name", (req, res, next) => {
  save(req.params.name, req).then((digest) => res.status(201).send(digest), next);
});

const app = express();
app.use("/files", router);
attach(app.listen(process.env.PORT, "127.0.0.1"));
