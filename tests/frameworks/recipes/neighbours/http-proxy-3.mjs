import { Agent, createServer } from "node:http";
import { attach, holdExpectation, relayExpectation } from "express-expectations";
import { createProxyServer } from "http-proxy-3";

const hold = holdExpectation();
const proxy = createProxyServer({ target: process.env.ORIGIN, agent: new Agent({ keepAlive: true }) });
proxy.on("proxyReq", (proxyReq, req, res) => relayExpectation(req, res, proxyReq));
proxy.on("error", (_error, _req, res) => res.headersSent || res.writeHead(502).end());

const front = createServer((req, res) => hold(req, res, () => proxy.web(req, res)));
attach(front).listen(process.env.PORT, "127.0.0.1");
