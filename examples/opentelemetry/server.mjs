import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import express from "express";
import { attach, expectations, maxSize, refuse } from "express-expectations";

/**
 * Starts the server. It knows nothing of OpenTelemetry: that is in what `--import` loads before it.
 *
 * @param port - 0 for a free one.
 * @param folder - where uploads are stored; a new temporary folder by default.
 */
export async function start(port = 0, folder = undefined) {
  const store = folder ?? (await mkdtemp(join(tmpdir(), "opentelemetry-")));
  const app = express();

  /** Refuses what there is no room for. Where nobody can tell, it throws: a fault, and a 500. */
  async function hasRoom(_req, { length = 0 }) {
    const { bavail, bsize } = await statfs(store);
    return bavail * bsize > length ? true : refuse(507, { reason: "no room" });
  }

  app.put(
    "/files/:name",
    expectations({ policies: [maxSize("1mb"), hasRoom] }),
    express.raw({ type: () => true, limit: "1mb" }),
    async (req, res) => {
      await writeFile(join(store, randomUUID()), req.body ?? "");
      res.status(201).json({ file: req.params.name, bytes: req.body?.length ?? 0 });
    },
  );

  const server = attach(app.listen(port, "127.0.0.1"));
  await once(server, "listening");
  return server;
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.argv[2] ?? 3000), process.argv[3]);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.close());
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
}
