import { createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import express from "express";
import { attach, authorize, expectations, maxSize, mediaTypes, refuse } from "express-expectations";

/** The token that the demo's clients have to show. */
export const TOKEN = "open-sesame";

const REFUSED_PAGE = `<!doctype html>
<title>417 Expectation Failed</title>
<h1>417 Expectation Failed</h1>
<p>This server does not take that upload.</p>
`;

function takesNothing() {
  return refuse(417, { reason: "this path takes no uploads" });
}

/**
 * Starts the application that the demo talks to: one guard for all of it, one more on each upload route.
 *
 * @param folder - where accepted uploads are stored, one file for each id.
 * @param logger - gets the record of each refusal.
 */
export async function startApp(folder, logger) {
  const app = express().disable("x-powered-by").disable("etag");
  app.use(expectations({ policies: [maxSize("1gb")], logger }));

  const imagesOnly = expectations({
    policies: [
      authorize((req) => req.headers.authorization === `Bearer ${TOKEN}`, { challenge: "Bearer" }),
      mediaTypes(["image/*"]),
      maxSize("10mb"),
    ],
    logger,
  });
  app.put("/images/:id", imagesOnly, async (req, res) => {
    await pipeline(req, createWriteStream(join(folder, req.params.id)));
    res.status(201).send("stored\n");
  });

  const nothing = expectations({
    policies: [takesNothing],
    refusalBody: () => ({ type: "text/html; charset=utf-8", body: REFUSED_PAGE }),
    logger,
  });
  app.put("/classic", nothing, (_req, res) => void res.send("never reached\n"));

  const server = attach(app.listen(0, "127.0.0.1"), { logger });
  await once(server, "listening");
  return server;
}

/** A fingerprint of a file's bytes; `undefined` where there is no such file. */
export async function fingerprint(path) {
  try {
    return createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}
