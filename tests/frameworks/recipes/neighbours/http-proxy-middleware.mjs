import { Agent, createServer } from "node:http";
import { attach, holdExpectation, relayExpectation } from "express-expectations";
import { createProxyMiddleware } from "http-proxy-middleware";

const hold = holdExpectation();
const proxy = createProxyMiddleware({
  target: process.env.ORIGIN,
  agent: new Agent({ keepAlive: true }),
  on: { proxyReq: (proxyReq, req, res) => relayExpectation(req, res, proxyReq) },
});

const front = createServer((req, res) => hold(req, res, () => proxy(req, res, () => res.writeHead(404).end())));
attach(front).listen(process.env.PORT, "127.0.0.1");
