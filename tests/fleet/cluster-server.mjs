// A cluster whose workers share their decisions and their metrics. Started by cluster.test.ts beside a copy of src.
//
// Prints a line with the ports: that of the primary process, and one of each worker.
import cluster from "node:cluster";
import { once } from "node:events";
import express from "express";
import { AggregatorRegistry, Registry, register } from "prom-client";
import { dashboard, fromWorkers, relayDecisions, shareDecisions } from "./src/dashboard/dashboard.js";
import { attach, expectations, maxSize, silent } from "./src/index.js";
import { instrument } from "./src/observe/prometheus.js";

// Whether each worker makes a registry that answers the primary process.
const { hasRegistry } = JSON.parse(process.argv[2]);

/** What the workers have: a page or none, and where they count. */
const WORKERS = [
  { HAS_PAGE: "yes", REGISTRY: "global" },
  { HAS_PAGE: "yes", REGISTRY: "listed" },
  { HAS_PAGE: "no", REGISTRY: "unknown" },
];

const guard = expectations({ logger: silent, policies: [maxSize(10)] });

async function listen(app) {
  const server = app.listen({ port: 0, host: "127.0.0.1", exclusive: true });
  await once(server, "listening");
  return server;
}

if (cluster.isPrimary) {
  const from = relayDecisions(cluster);
  const metrics = new AggregatorRegistry();
  const app = express();
  app.use("/ops", dashboard({ from, logger: silent }));
  app.get("/metrics", async (_req, res) => {
    try {
      res.type(metrics.contentType).send(await metrics.clusterMetrics());
    } catch (error) {
      res.status(500).send(error.message);
    }
  });
  const server = await listen(app);
  const workers = WORKERS.map((env) => cluster.fork(env));
  const ports = await Promise.all(
    workers.map(async (worker) => {
      for (;;) {
        const [message] = await once(worker, "message");
        if (message.port !== undefined) return message.port;
      }
    }),
  );
  process.stdout.write(`${JSON.stringify({ primary: server.address().port, workers: ports })}\n`);
} else {
  const from = fromWorkers(process);
  const app = express();
  if (process.env.HAS_PAGE === "yes") app.use("/ops", dashboard({ from, logger: silent }));
  else shareDecisions(from, { logger: silent });
  if (hasRegistry) new AggregatorRegistry();
  const { REGISTRY } = process.env;
  const own = REGISTRY === "global" ? register : new Registry();
  if (REGISTRY === "listed") AggregatorRegistry.setRegistries([own]);
  instrument(own);
  app.put("/files", guard, (req, res) => void req.resume().on("end", () => res.sendStatus(201)));
  const server = attach(await listen(app), { logger: silent });
  process.send({ port: server.address().port });
}
