import { createHash } from "node:crypto";
import { once } from "node:events";
import * as http from "node:http";
import { pipeline } from "node:stream/promises";
import express from "express";
import { admission, attach, authorize, expectations, maxSize, mediaTypes, refuse } from "express-expectations";

// Bytes that each token may still upload.
const budgets = new Map([
  ["Bearer open-sesame", 100 * 2 ** 20],
  ["Bearer used-up", 0],
]);

/** Looks and takes nothing, so that it may be asked twice: by the proxy, and by the guard. */
function withinBudget(req, upload) {
  const left = budgets.get(req.headers.authorization) ?? 0;
  if ((upload.length ?? 1) <= left) return true;
  return refuse(429, { reason: "the budget is used up", headers: { "Retry-After": 3600 } });
}

const policies = [
  authorize((req) => budgets.has(req.headers.authorization), { challenge: 'Bearer realm="uploads"' }),
  mediaTypes(["image/*"]),
  maxSize("2mb"),
  withinBudget,
];

/**
 * Starts the origin, and the endpoint that the proxy asks: on a port of its own, which the proxy forwards nothing to.
 *
 * @param statuses - "nginx" or "verbatim".
 */
export async function start({ port = 0, admissionPort = 0, statuses = "nginx" } = {}) {
  const app = express();
  // The guard stays: it counts uploads of unknown length, and judges who comes by without the proxy.
  app.put("/images/:id", expectations({ policies }), async (req, res) => {
    const hash = createHash("sha256");
    let bytes = 0;
    await pipeline(req, async (chunks) => {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        hash.update(chunk);
      }
    });
    const token = req.get("authorization");
    budgets.set(token, budgets.get(token) - bytes);
    res.status(201).json({ id: req.params.id, bytes, sha256: hash.digest("hex") });
  });
  const origin = attach(app.listen(port, "127.0.0.1"));
  const asked = http.createServer(admission({ trustProxy: "loopback", policies, statuses }));
  asked.listen(admissionPort, "127.0.0.1");
  await Promise.all([once(origin, "listening"), once(asked, "listening")]);
  return { origin, asked };
}

if (process.argv[1] === import.meta.filename) {
  const [port = 3000, admissionPort = 3001] = process.argv.slice(2).map(Number);
  const { origin, asked } = await start({ port, admissionPort });
  console.log(`asked by the proxy on 127.0.0.1:${asked.address().port}`);
  console.log(`listening on http://127.0.0.1:${origin.address().port}`);
}
