import { once } from "node:events";
import express from "express";
import { attach, concurrency, expectations, maxSize } from "express-expectations";
import { dashboard } from "express-expectations/dashboard";

/**
 * Starts the server.
 *
 * @param port - 0 for a free one.
 */
export async function start(port = 0) {
  const app = express();

  // For this computer alone: behind a public address it needs your own login in front of it.
  const decisions = dashboard();
  app.use("/uploads", decisions);

  const room = concurrency({ name: "files", limit: 5, maxWaiting: 100, maxWaitMs: 60_000 });
  app.get("/places", (_req, res) => void res.json(room.places));

  app.put(
    "/files/:name",
    expectations({
      // The room comes last: whatever the others refuse does not wait.
      policies: [maxSize("1mb"), room],
      // At least as long as somebody may wait.
      policyTimeoutMs: 60_000,
    }),
    express.raw({ type: () => true, limit: "1mb" }),
    (req, res) => void res.status(201).json({ file: req.params.name, bytes: req.body.length }),
  );

  const server = attach(app.listen(port, "127.0.0.1"));
  await once(server, "listening");
  // Open pages would keep the server from closing.
  return { server, decisions };
}

if (process.argv[1] === import.meta.filename) {
  const { server, decisions } = await start(Number(process.argv[2] ?? 3000));
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
  process.once("SIGTERM", () => {
    server.close();
    decisions.close();
  });
}
