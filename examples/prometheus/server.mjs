import { once } from "node:events";
import * as fs from "node:fs/promises";
import express from "express";
import {
  attach,
  authorize,
  concurrency,
  diskSpace,
  expectations,
  knownLength,
  maxSize,
  mediaTypes,
} from "express-expectations";
import { instrument } from "express-expectations/prometheus";
import { Registry } from "prom-client";

/** Throws where the archive is not mounted: a fault, which gets 500, and the alert `UploadPolicyFaults`. */
function mounted(folder) {
  return async function isMounted() {
    await fs.access(folder);
    return true;
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
      policies: [authorize((req) => req.get("authorization") === "Bearer open-sesame", { challenge: "Bearer" })],
    }),
  );
  const disk = diskSpace({ path: ".", keepFree: "100mb" });
  app.put(
    "/images/:id",
    expectations({ policies: [knownLength(), mediaTypes(["image/*"]), maxSize("5mb"), disk] }),
    takeIn,
  );
  const places = concurrency({ name: "clips", limit: 1, maxWaiting: 1, maxWaitMs: 5_000 });
  app.put("/clips/:id", expectations({ policies: [maxSize("1mb"), places] }), takeIn);
  const archiveDisk = diskSpace({ path: archive, keepFree: "1gb" });
  app.put("/archive/:name", expectations({ policies: [mounted(archive), maxSize("1gb"), archiveDisk] }), takeIn);

  const server = attach(app.listen(port, "127.0.0.1"));
  server.on("close", undo);
  await once(server, "listening");
  return server;
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.argv[2] ?? 3000), process.argv[3]);
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
}
