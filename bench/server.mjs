// The servers that are measured, in one process, so that they share one compiler and one heap: apps that differ in one
// middleware alone.
import { once } from "node:events";
import { createServer } from "node:http";
import cors from "cors";
import express from "express";
import { rateLimit } from "express-rate-limit";
import helmet from "helmet";
import { attach, expectations, maxSize, silent } from "../dist/esm/index.js";

function app(...middlewares) {
  const made = express();
  for (const middleware of middlewares) made.use(middleware);
  made.get("/hello", (_req, res) => {
    res.json({ hello: "world" });
  });
  return made;
}

const guard = () => expectations({ policies: [maxSize("10mb")], logger: silent });

const servers = {
  without: createServer(app()),
  "without, again": createServer(app()),
  "no-op": createServer(app((_req, _res, next) => next())),
  helmet: createServer(app(helmet())),
  cors: createServer(app(cors())),
  "express-rate-limit": createServer(app(rateLimit({ limit: 1e9, windowMs: 600_000, validate: false }))),
  with: attach(createServer(app(guard())), { logger: silent }),
  "attach({ guard })": attach(createServer(app()), { logger: silent, guard: guard() }),
};

const ports = {};
for (const [name, server] of Object.entries(servers)) {
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ports[name] = server.address().port;
}
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send({ cpuMs: (user + system) / 1000 });
});
process.on("disconnect", () => process.exit(0));
process.send({ ports });
