import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import express from "express";
import { attach, expectations, knownLength, maxSize, mediaTypes } from "express-expectations";
import multer from "multer";

/**
 * Starts the server.
 *
 * @param port - 0 for a free one.
 * @param folder - where uploads are stored; a new temporary folder by default.
 */
export async function start(port = 0, folder = undefined) {
  const dest = folder ?? (await mkdtemp(join(tmpdir(), "express-multer-")));
  const app = express();

  // The guard stands before multer: multer's first read is what sends the 100.
  app.post(
    "/photos",
    expectations({ policies: [mediaTypes(["multipart/form-data"]), knownLength(), maxSize("10mb")] }),
    multer({ dest }).single("photo"),
    (req, res) => {
      if (!req.file) return res.status(400).json({ error: 'a file in the field "photo" is required' });
      return res.status(201).json({ file: req.file.filename, bytes: req.file.size });
    },
  );

  const server = attach(app.listen(port, "127.0.0.1"));
  await once(server, "listening");
  return server;
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.argv[2] ?? 3000), process.argv[3]);
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
}
