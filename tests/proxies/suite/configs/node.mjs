// A reverse proxy in Node: node.mjs PORT TARGET PACKAGE [relay]
import { once } from "node:events";
import * as http from "node:http";
import { attach, holdExpectation, relayExpectation, silent } from "express-expectations";
import httpProxy from "http-proxy";
import * as httpProxy3 from "http-proxy-3";
import { createProxyMiddleware } from "http-proxy-middleware";
import { start } from "../../../../examples/node-proxy/server.mjs";

const [port, target, name, relay] = process.argv.slice(2);

function fail(_error, _req, res) {
  if (!res.headersSent) res.writeHead?.(502);
  res.end();
}

function withServer(proxy) {
  proxy.on("error", fail);
  return (req, res) => proxy.web(req, res);
}

const MAKERS = {
  "http-proxy": () => withServer(relaying(httpProxy.createProxyServer({ target }))),
  "http-proxy-3": () => withServer(relaying(httpProxy3.createProxyServer({ target }))),
  "http-proxy-middleware": () => {
    const forward = createProxyMiddleware({ target });
    return (req, res) => forward(req, res, (error) => fail(error, req, res));
  },
};

function relaying(proxy) {
  if (relay) proxy.on("proxyReq", (proxyReq, req, res) => relayExpectation(req, res, proxyReq));
  return proxy;
}

async function startPlain() {
  const forward = MAKERS[name]();
  const hold = holdExpectation({ logger: silent });
  const server = relay
    ? attach(
        http.createServer((req, res) => hold(req, res, () => forward(req, res))),
        { logger: silent },
      )
    : http.createServer(forward);
  await once(server.listen(Number(port), "127.0.0.1"), "listening");
}

// The one in examples/ is the best that http-proxy-middleware can be.
if (name === "http-proxy-middleware" && relay) await start(Number(port), target);
else await startPlain();
