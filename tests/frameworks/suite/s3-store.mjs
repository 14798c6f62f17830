// A small server that @aws-sdk/client-s3 takes for S3: objects, and uploads in parts. It keeps them in memory.
import { once } from "node:events";
import { createServer } from "node:http";

export class S3Store {
  #objects = new Map();
  #parts = new Map();
  #uploads = 0;

  static async start() {
    const store = new S3Store();
    store.server = createServer((req, res) => store.#answer(req, res)).listen(0, "127.0.0.1");
    await once(store.server, "listening");
    return store;
  }

  get url() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  contents() {
    return [...this.#objects.values()];
  }

  /** Objects, and parts of uploads that nobody has completed or aborted. */
  left() {
    return [...this.#objects.keys(), ...this.#parts.keys()];
  }

  hasBegun() {
    return this.left().length > 0;
  }

  clear() {
    this.#objects.clear();
    this.#parts.clear();
  }

  stop() {
    this.server.close();
    this.server.closeAllConnections();
  }

  async #answer(req, res) {
    const { pathname, searchParams } = new URL(req.url, this.url);
    const pieces = [];
    try {
      for await (const piece of req) pieces.push(piece);
    } catch {
      return; // The program has given up.
    }
    const content = Buffer.concat(pieces);
    const id = searchParams.get("uploadId");
    res.setHeader("ETag", '"etag"').setHeader("Content-Type", "application/xml");
    if (searchParams.has("uploads")) res.end(this.#begin());
    else if (req.method === "DELETE") {
      this.#parts.delete(id);
      res.writeHead(204).end();
    } else if (req.method === "POST") {
      this.#objects.set(pathname, Buffer.concat(this.#parts.get(id).filter(Boolean)));
      this.#parts.delete(id);
      res.end("<CompleteMultipartUploadResult><ETag>etag</ETag></CompleteMultipartUploadResult>");
    } else {
      if (id) this.#parts.get(id)?.splice(Number(searchParams.get("partNumber")), 1, content);
      else this.#objects.set(pathname, content);
      res.end();
    }
  }

  #begin() {
    const id = `upload-${++this.#uploads}`;
    this.#parts.set(id, Array(20));
    return `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`;
  }
}
