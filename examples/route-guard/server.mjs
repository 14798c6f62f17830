import { once } from "node:events";
import express from "express";
import { attach, authorize, expectations, handshakeOf, maxSize, mediaTypes } from "express-expectations";

/**
 * Starts the server.
 *
 * @param port - 0 for a free one.
 */
export async function start(port = 0) {
  const app = express();

  // For the whole application: nobody uploads without a token, and nobody more than 1 GiB.
  app.use(
    expectations({
      policies: [
        authorize((req) => req.get("authorization") === "Bearer open-sesame", { challenge: "Bearer" }),
        maxSize("1gb"),
      ],
    }),
  );

  // For one route, on top of that. The 100 goes out when both have accepted and the body is read.
  app.put(
    "/images/:id",
    expectations({ policies: [mediaTypes(["image/*"]), maxSize("1mb")] }),
    express.raw({ type: "image/*", limit: "1mb" }),
    (req, res) =>
      void res.status(201).json({ id: req.params.id, bytes: req.body.length, handshake: handshakeOf(req).state }),
  );

  // No guard of its own: the one for the whole application holds.
  app.put("/notes/:id", express.text({ type: "*/*" }), (req, res) => {
    res.status(201).json({ id: req.params.id, bytes: Buffer.byteLength(req.body), handshake: handshakeOf(req).state });
  });

  const server = attach(app.listen(port, "127.0.0.1"));
  await once(server, "listening");
  return server;
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.argv[2] ?? 3000));
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
}
