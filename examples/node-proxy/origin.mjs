import { once } from "node:events";
import express from "express";
import { attach, expectations, knownLength, maxSize, mediaTypes } from "express-expectations";

/** Starts the server behind the proxy: it alone decides about uploads. */
export async function startOrigin(port = 0) {
  const app = express();
  const guard = expectations({ policies: [knownLength(), mediaTypes(["image/*"]), maxSize("2mb")] });
  app.put("/images/:id", guard, express.raw({ type: "*/*", limit: "2mb" }), (req, res) => {
    res.status(201).json({ id: req.params.id, bytes: req.body.length });
  });
  const server = attach(app.listen(port, "127.0.0.1"));
  await once(server, "listening");
  return server;
}
