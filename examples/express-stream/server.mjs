import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import express from "express";
import { attach, expectations, maxSize, refuse } from "express-expectations";

/**
 * Starts the server.
 *
 * @param port - 0 for a free one.
 * @param folder - where uploads are stored; a new temporary folder by default.
 */
export async function start(port = 0, folder = undefined) {
  const store = folder ?? (await mkdtemp(join(tmpdir(), "express-stream-")));
  await mkdir(store, { recursive: true });
  const app = express();

  app.put("/files/:name", expectations({ policies: [plainName, maxSize("1mb")] }), async (req, res) => {
    // Under another name until it is whole, so that nobody ever finds half a file.
    const partial = join(store, `.${randomUUID()}.partial`);
    const file = createWriteStream(partial);
    // `pipe` passes no errors on: a client that leaves, an upload that is cut off at the limit.
    req.on("error", (error) => file.destroy(error));
    try {
      req.pipe(file);
      await finished(file);
      await rename(partial, join(store, req.params.name));
    } catch (error) {
      await rm(partial, { force: true });
      if (req.errored) return; // the client has left, or the guard has answered it
      throw error;
    }
    res.status(201).json({ file: req.params.name, bytes: file.bytesWritten });
  });

  const server = attach(app.listen(port, "127.0.0.1"));
  await once(server, "listening");
  return server;
}

/** A policy of one's own: what is no plain file name is refused before the file is sent. */
function plainName(req) {
  return /^\w[\w.-]{0,99}$/.test(req.params.name) ? true : refuse(400, { reason: "not a plain file name" });
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.argv[2] ?? 3000), process.argv[3]);
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
}
