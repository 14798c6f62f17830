import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { link, mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import express from "express";
import { attach, digestsOf, expectations, maxSize, preconditions, refuse } from "express-expectations";

/**
 * Starts the server.
 *
 * @param port - 0 for a free one.
 * @param folder - where files are stored; a new temporary folder by default.
 */
export async function start(port = 0, folder = undefined) {
  const store = folder ?? (await mkdtemp(join(tmpdir(), "content-addressed-")));
  await mkdir(store, { recursive: true });
  const app = express();

  const isStored = preconditions(async (req) => {
    const { sha256 } = req.params;
    const file = await stat(join(store, sha256)).catch(() => undefined);
    return file && { etag: `"${sha256}"`, lastModified: file.mtime };
  });

  app.put("/blobs/:sha256", expectations({ policies: [namedByDigest, isStored, maxSize("1gb")] }), async (req, res) => {
    const { sha256 } = req.params;
    const partial = join(store, `.${randomUUID()}.partial`);
    const file = createWriteStream(partial);
    const hash = createHash("sha256");
    req.on("data", (chunk) => hash.update(chunk));
    req.on("error", (error) => file.destroy(error));
    try {
      req.pipe(file);
      await finished(file);
      // What a client says about its content is what it says: the content decides.
      if (hash.digest("hex") !== sha256) {
        res.status(422).json({ error: "the content has another SHA-256" });
        return;
      }
      // Fails where somebody else was faster: both had been told that the file is not there.
      await link(partial, join(store, sha256));
    } catch (error) {
      if (req.errored) return; // the client has left, or the guard has answered it
      if (error.code !== "EEXIST") throw error;
      res.status(412).json({ error: "stored meanwhile" });
      return;
    } finally {
      await rm(partial, { force: true });
    }
    res.status(201).json({ sha256, bytes: file.bytesWritten });
  });

  const server = attach(app.listen(port, "127.0.0.1"));
  await once(server, "listening");
  return server;
}

/** The name is a SHA-256, and no other than the one that the client declares, if it declares one. */
function namedByDigest(req) {
  const { sha256 } = req.params;
  if (!/^[0-9a-f]{64}$/.test(sha256))
    return refuse(400, { reason: "the name is no SHA-256 in lower-case hexadecimal" });
  const declared = digestsOf(req)["sha-256"];
  if (declared && declared.toString("hex") !== sha256) {
    return refuse(400, { reason: "Content-Digest and the name are not the same" });
  }
  return true;
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.argv[2] ?? 3000), process.argv[3]);
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
}
