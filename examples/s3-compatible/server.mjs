import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import express from "express";
import { attach, expectations, maxSize, preconditions, quota, refuse } from "express-expectations";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { signer } from "./signature.mjs";

const SECRETS = new Map([["AKIDEXAMPLE", "open-sesame"]]);

/** Codes that S3's clients know. */
const CODES = {
  400: "InvalidRequest",
  403: "SignatureDoesNotMatch",
  411: "MissingContentLength",
  412: "PreconditionFailed",
  413: "EntityTooLarge",
  429: "TooManyRequests",
  501: "NotImplemented",
};

/**
 * Starts the server.
 *
 * @param port - 0 for a free one.
 * @param folder - where objects are stored; a new temporary folder by default.
 */
export async function start(port = 0, folder = undefined) {
  const store = folder ?? (await mkdtemp(join(tmpdir(), "s3-compatible-")));
  await mkdir(store, { recursive: true });
  const fileOf = ({ params: { bucket, key } }) => join(store, bucket, encodeURIComponent(key.join("/")));
  const app = express();

  const guard = expectations({
    policies: [
      isValid,
      isSigned,
      // 100 MiB a day for each access key; with a RateLimiterRedis, for all servers together.
      quota({
        limiter: new RateLimiterMemory({ points: 100 * 2 ** 20, duration: 86_400 }),
        key: (req) => req.accessKey,
        name: "daily",
      }),
      maxSize("64mb"),
      // If-None-Match: *, "only if it is not there".
      preconditions(async (req) => {
        const file = await stat(fileOf(req)).catch(() => undefined);
        return file && { lastModified: file.mtime };
      }),
    ],
    refusalBody: ({ status, reason }) => ({ type: "application/xml", body: errorXml(status, reason) }),
  });

  app.put("/:bucket/*key", guard, async (req, res) => {
    const target = fileOf(req);
    const partial = join(store, `.${randomUUID()}.partial`);
    const file = createWriteStream(partial);
    const md5 = createHash("md5");
    const sha256 = createHash("sha256");
    req.on("data", (chunk) => {
      md5.update(chunk);
      sha256.update(chunk);
    });
    req.on("error", (error) => file.destroy(error));
    try {
      req.pipe(file);
      await finished(file);
      const declared = req.get("x-amz-content-sha256");
      if (declared !== "UNSIGNED-PAYLOAD" && declared !== sha256.digest("hex")) {
        res.status(400).type("application/xml").send(errorXml(400, "the content is not what was signed"));
        return;
      }
      await mkdir(join(store, req.params.bucket), { recursive: true });
      await rename(partial, target);
    } catch (error) {
      if (req.errored) return; // the client has left, or the guard has answered it
      throw error;
    } finally {
      await rm(partial, { force: true });
    }
    res.set("ETag", `"${md5.digest("hex")}"`).end();
  });

  const server = attach(app.listen(port, "127.0.0.1"));
  await once(server, "listening");
  return server;
}

function isValid(req, { length }) {
  const { bucket, key } = req.params;
  if (!/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket)) return refuse(400, { reason: "not a bucket's name" });
  if (Buffer.byteLength(encodeURIComponent(key.join("/"))) > 200) return refuse(400, { reason: "the key is too long" });
  if (/^\.{1,2}$/.test(key.join("/"))) return refuse(400, { reason: "not a key" });
  if (length === undefined) return refuse(411, { reason: "Content-Length is required" });
  if (/^STREAMING-/.test(req.get("x-amz-content-sha256"))) return refuse(501, { reason: "content in signed chunks" });
  return true;
}

function isSigned(req) {
  req.accessKey = signer(req, SECRETS);
  return req.accessKey ? true : refuse(403, { reason: "the signature does not match" });
}

function errorXml(status, reason = "") {
  const message = reason.replace(/[<>&]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${CODES[status] ?? "InternalError"}</Code><Message>${message}</Message></Error>`;
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.argv[2] ?? 3000), process.argv[3]);
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
}
