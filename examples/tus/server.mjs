import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";
import express from "express";
import { attach, expectations, maxSize, refuse } from "express-expectations";

/** Bytes of one upload in all, and of one request. */
const MAX_UPLOAD = 100 * 2 ** 20;
const MAX_REQUEST = 8 * 2 ** 20;

/**
 * Starts the server.
 *
 * @param port - 0 for a free one.
 */
export async function start(port = 0, folder) {
  const directory = folder ?? (await mkdtemp(join(tmpdir(), "tus-")));
  const tus = new Server({ path: "/files", datastore: new FileStore({ directory }) });
  const app = express();

  const guard = expectations({ policies: [maxCreation(MAX_UPLOAD), maxSize(MAX_REQUEST)] });
  app.all(["/files", "/files/:id"], guard, (req, res) => tus.handle(req, res));

  const server = attach(app.listen(port, "127.0.0.1"));
  await once(server, "listening");
  return server;
}

/** Refuses to create an upload that would be too large. Its content follows in other requests. */
function maxCreation(limit) {
  const tooLarge = refuse(413, {
    reason: `larger than ${limit} bytes`,
    headers: { "Tus-Resumable": "1.0.0", "Upload-Limit": `max-size=${limit}` },
  });
  return function maxCreation(req) {
    return req.method === "POST" && Number(req.get("upload-length")) > limit ? tooLarge : true;
  };
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.argv[2] ?? 3000));
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
}
