import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import express from "express";
import {
  attach,
  authorize,
  expectations,
  maxSize,
  mediaTypes,
  preconditions,
  preflight,
  quota,
} from "express-expectations";
import { RateLimiterMemory } from "rate-limiter-flexible";

/**
 * Starts the server.
 *
 * @param port - 0 for a free one.
 * @param options - where files are stored, and how many bytes an address may upload in an hour.
 */
export async function start(port = 0, { folder, bytesAnHour = 2 ** 30 } = {}) {
  const stored = folder ?? (await mkdtemp(join(tmpdir(), "browser-upload-")));
  const pathOf = (req) => join(stored, basename(req.params.name));
  const app = express();

  const guard = expectations({
    policies: [
      authorize((req) => req.get("authorization") === "Bearer open-sesame", { challenge: "Bearer" }),
      mediaTypes(["image/*", "video/*", "application/pdf"]),
      maxSize("100mb"),
      // The page sends `If-None-Match: *`.
      preconditions(async (req) => ((await isStored(pathOf(req))) ? {} : undefined)),
      quota({ limiter: new RateLimiterMemory({ points: bytesAnHour, duration: 3_600 }), key: (req) => req.ip }),
    ],
  });

  app.options("/files/:name", preflight(guard));
  app.put("/files/:name", guard, async (req, res) => {
    // Under another name until it is whole: an upload that was cancelled is not stored.
    const part = join(stored, `.${randomUUID()}`);
    try {
      await pipeline(req, createWriteStream(part));
      await rename(part, pathOf(req));
    } finally {
      await rm(part, { force: true });
    }
    res.status(201).json({ name: req.params.name });
  });

  app.use((_req, res, next) => {
    res.set(
      "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:",
    );
    next();
  });
  app.use(express.static(join(import.meta.dirname, "public")));
  // With a bundler, pages do without this. pnpm keeps packages in a folder whose name begins with a dot.
  const browserModule = fileURLToPath(import.meta.resolve("express-expectations/browser"));
  app.get("/express-expectations/browser.js", (_req, res) => res.sendFile(browserModule, { dotfiles: "allow" }));

  const server = attach(app.listen(port, "127.0.0.1"));
  await once(server, "listening");
  return server;
}

function isStored(file) {
  return stat(file).then(
    () => true,
    () => false,
  );
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.argv[2] ?? 3000));
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
}
