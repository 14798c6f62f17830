import { once } from "node:events";
import * as fs from "node:fs/promises";
import express from "express";
import { attach, authorize, expectations, knownLength, maxSize, mediaTypes, refuse } from "express-expectations";
import { instrument } from "express-expectations/prometheus";
import { Registry } from "prom-client";

/**
 * Refuses what does not fit on the disk with 507. A disk that does not answer is a fault: 500, and the alert
 * `UploadPolicyFaults`.
 */
function spaceLeftIn(folder) {
  return async function spaceLeft(_req, { length = 0 }) {
    const { bavail, bsize } = await fs.statfs(folder);
    return length <= bavail * bsize || refuse(507, { reason: "the disk is full" });
  };
}

function takeIn(req, res) {
  req.on("data", () => {}).on("end", () => res.sendStatus(201));
}

/**
 * Starts the server.
 *
 * @param port - 0 for a free one.
 * @param archive - the folder where a disk for the archive is mounted, or should be.
 */
export async function start(port = 0, archive = "archive") {
  const app = express();

  const registry = new Registry();
  const undo = instrument(registry);
  app.get("/metrics", async (_req, res) => {
    res.type(registry.contentType).send(await registry.metrics());
  });

  app.use(
    expectations({
      policies: [
        authorize((req) => req.get("authorization") === "Bearer open-sesame", { challenge: "Bearer" }),
        knownLength(),
      ],
    }),
  );
  app.put("/images/:id", expectations({ policies: [mediaTypes(["image/*"]), maxSize("5mb")] }), takeIn);
  app.put("/archive/:name", expectations({ policies: [maxSize("1gb"), spaceLeftIn(archive)] }), takeIn);

  const server = attach(app.listen(port, "127.0.0.1"));
  server.on("close", undo);
  await once(server, "listening");
  return server;
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.argv[2] ?? 3000), process.argv[3]);
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
}
