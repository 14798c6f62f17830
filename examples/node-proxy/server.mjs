import { once } from "node:events";
import express from "express";
import { attach, holdExpectation, relayExpectation } from "express-expectations";
import { createProxyMiddleware } from "http-proxy-middleware";
import { startOrigin } from "./origin.mjs";

/** Starts the proxy, which decides nothing: it passes on what the origin says, before the content moves. */
export async function start(port, target) {
  const app = express();
  app.use(
    holdExpectation({ originTimeoutMs: 5_000 }),
    createProxyMiddleware({
      target,
      on: { proxyReq: (proxyReq, req, res) => relayExpectation(req, res, proxyReq) },
    }),
  );
  const server = attach(app.listen(port, "127.0.0.1"));
  await once(server, "listening");
  return server;
}

if (process.argv[1] === import.meta.filename) {
  const origin = await startOrigin();
  const server = await start(Number(process.argv[2] ?? 3000), `http://127.0.0.1:${origin.address().port}`);
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
}
