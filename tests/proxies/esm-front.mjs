// http-proxy-middleware 4 in front of an origin, for HTTP/1.1 and HTTP/2: esm-front.mjs TARGET [held]
import * as http from "node:http";
import * as http2 from "node:http2";
import { attach, holdExpectation, relayExpectation, silent } from "express-expectations";
import { createProxyMiddleware } from "http-proxy-middleware4";

const [target, isHeld] = process.argv.slice(2);
const hold = isHeld === "held" ? holdExpectation({ logger: silent }) : (_req, _res, next) => next();
const proxy = createProxyMiddleware({
  target,
  agent: new http.Agent({ keepAlive: true, maxSockets: 1 }),
  on: {
    proxyReq: (proxyReq, req, res) => relayExpectation(req, res, proxyReq),
    // httpxy copies it, and HTTP/2 forbids it.
    proxyRes: (proxyRes) => delete proxyRes.headers["keep-alive"],
    error: (_error, _req, res) => res.headersSent || res.writeHead(502).end(),
  },
});
const app = (req, res) => hold(req, res, () => proxy(req, res, () => {}));
for (const module of [http, http2]) {
  const server = attach(module.createServer(app), { logger: silent }).listen(0, "127.0.0.1", () => {
    console.log((module === http ? "http1 " : "http2 ") + server.address().port);
  });
}
