import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import express from "express";
import { attach, expectations, maxSize, mediaTypes } from "express-expectations";
import { dashboard } from "express-expectations/dashboard";

/**
 * Starts the server.
 *
 * @param port - 0 for a free one.
 * @param password - who wants to see the dashboard must know it.
 */
export async function start(port = 0, password = process.env.DASHBOARD_PASSWORD) {
  // A dashboard that everybody may see shows everybody the addresses of your clients.
  if (!password) throw new Error("set DASHBOARD_PASSWORD");
  const app = express();

  const decisions = dashboard({ sinceMs: 24 * 3_600_000 });
  app.use("/ops/uploads", requireOperator(password), decisions);

  app.put(
    "/files/:name",
    expectations({ policies: [mediaTypes(["image/*"]), maxSize("1mb")] }),
    express.raw({ type: "image/*", limit: "1mb" }),
    (req, res) => void res.status(201).json({ file: req.params.name, bytes: req.body.length }),
  );

  const server = attach(app.listen(port, "127.0.0.1"));
  await once(server, "listening");
  // Open pages would keep the server from closing.
  return { server, decisions };
}

/** HTTP Basic authentication; over anything but loopback it needs TLS. */
function requireOperator(password) {
  const isSame = comparison();
  const expected = `Basic ${Buffer.from(`operator:${password}`).toString("base64")}`;
  return (req, res, next) => {
    if (isSame(req.get("authorization") ?? "", expected)) return next();
    res.set("WWW-Authenticate", 'Basic realm="uploads", charset="UTF-8"').status(401).send("Who are you?\n");
  };
}

/** Compares in a time that tells nothing about where two texts differ, nor about their lengths. */
function comparison() {
  const key = randomBytes(32);
  const digest = (text) => createHmac("sha256", key).update(text).digest();
  return (a, b) => timingSafeEqual(digest(a), digest(b));
}

if (process.argv[1] === import.meta.filename) {
  const { server, decisions } = await start(Number(process.argv[2] ?? 3000));
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
  process.once("SIGTERM", () => {
    server.close();
    decisions.close();
  });
}
