import * as http from "node:http";
import type * as net from "node:net";
import { authorize, expectations, knownLength, maxSize, preconditions, silent } from "../../src/index.js";
import { type AppParts, type Handler, listen, start, startAttached, store } from "../helpers/servers.js";
import { response, startPeer, type Trouble } from "./peer.js";

/** The servers that docs/417.md names, as `NAME.example`; each starts on a free port and tells it. */
export const SERVERS: Readonly<Record<string, () => Promise<number>>> = {
  app: () => attached({ use: [guard], routes: { "/upload": store } }),
  unattached: async () => (await start("node:http", { routes: { "/upload": storeUpTo8KiB } })).port,
  attached: () => attached({ routes: { "/upload": storeUpTo8KiB } }),
  members: () => attached({ use: [signedIn], routes: { "/upload": store } }),
  versions: () => attached({ use: [versioned], routes: { "/upload": store } }),
  mute: () => peer(sendsNo100),
  forgetful: () => listening(forgetful()),
  gateway: () => peer(knowsNoExpect),
  "fetch-proxy": () => listening(fetchProxy()),
  "office-proxy": () => listening(forwardProxy(refusesExpect)),
  firewall: () => peer(forbidsExpect),
  "login-proxy": () => listening(forwardProxy(wantsLogin)),
};

const guard = expectations({ policies: [maxSize("10mb")], logger: silent });
const signedIn = expectations({
  policies: [
    authorize((req) => req.headers.authorization === "Bearer open-sesame", { challenge: "Bearer" }),
    maxSize("10mb"),
  ],
  logger: silent,
});
const versioned = expectations({ policies: [knownLength(), preconditions(() => ({ etag: '"v1"' }))], logger: silent });

const LIMIT = 8_192;

const storeUpTo8KiB: Handler = (req, res, next) => {
  if (Number(req.headers["content-length"] ?? 0) <= LIMIT) return store(req, res, next);
  res.statusCode = 413;
  res.end("too large\n");
};

async function attached(parts: AppParts): Promise<number> {
  return (await startAttached("node:http", parts, { logger: silent })).port;
}

async function listening(server: http.Server): Promise<number> {
  return (await listen(server)).port;
}

async function peer(trouble: Trouble): Promise<number> {
  return (await startPeer(trouble)).port;
}

const sendsNo100: Trouble = async (served) => {
  if (!served.isFor("100-continue")) return false;
  await served.content();
  served.send(response("201 Created"));
  return true;
};

const knowsNoExpect: Trouble = (served) => {
  if (!served.head.hasContent || served.head.expect === undefined) return false;
  served.end(response("417 Expectation Failed", ["Connection: close", "x-amz-apigw-id: abc="]));
  return true;
};

/** As the page of Apache with ModSecurity says it. */
const forbidsExpect: Trouble = (served) => {
  if (served.head.expect === undefined) return false;
  const fields = ["Connection: close", "Server: Apache/2.4.71 (Debian)", "Content-Type: text/html"];
  served.end(response("403 Forbidden", fields, "<html><head><title>403 Forbidden</title></head></html>"));
  return true;
};

/** Takes the handshake from Node and never ends it; Node gives up on the client in its place. */
function forgetful(): http.Server {
  const options = { requestTimeout: 1_200, headersTimeout: 1_000, connectionsCheckingInterval: 100 };
  const server = http.createServer(options, (req, res) => store(req, res, () => {}));
  server.on("checkContinue", (req) => void req.resume());
  return server;
}

/** A proxy on fetch(), which throws on every request with `Expect`; its origin is not needed to see that. */
function fetchProxy(): http.Server {
  const origin = http.createServer((req, res) => store(req, res, () => {}));
  const server = http.createServer(async (req, res) => {
    try {
      const { port } = origin.address() as net.AddressInfo;
      const { expect } = req.headers;
      const hasContent = req.method !== "GET";
      const answer = await fetch(`http://127.0.0.1:${port}${req.url}`, {
        method: req.method ?? "GET",
        ...(expect !== undefined && { headers: { expect } }),
        ...(hasContent && { body: req as never, duplex: "half" }),
      } as RequestInit);
      res.writeHead(answer.status).end(await answer.text());
    } catch {
      res.writeHead(502, { Connection: "close" }).end("bad gateway\n");
    }
  });
  server.on("checkContinue", (req, res) => server.emit("request", req, res));
  server.on("listening", () => void listen(origin));
  return server;
}

/** Answers a request in place of the origin, or passes it on. */
type Refusal = (req: http.IncomingMessage) => { status: number; headers: http.OutgoingHttpHeaders } | undefined;

const refusesExpect: Refusal = (req) =>
  req.headers.expect === undefined ? undefined : { status: 417, headers: { Server: "squid/3.1.20" } };

const wantsLogin: Refusal = (req) =>
  req.headers["proxy-authorization"] === `Basic ${btoa("ann:secret")}`
    ? undefined
    : { status: 407, headers: { "Proxy-Authenticate": 'Basic realm="office"' } };

/** A forward proxy that carries the handshake through. */
function forwardProxy(refusal: Refusal): http.Server {
  const pass: http.RequestListener = (req, res) => {
    const refused = refusal(req);
    if (refused) return void res.writeHead(refused.status, { ...refused.headers, Connection: "close" }).end();
    const { "proxy-authorization": _, ...headers } = req.headers;
    const onward = http.request(req.url ?? "", { method: req.method ?? "GET", headers, agent: false });
    onward.on("continue", () => res.writeContinue());
    onward.on("response", (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    onward.on("error", () => res.destroy());
    onward.flushHeaders();
    req.pipe(onward);
  };
  const server = http.createServer(pass);
  server.on("checkContinue", pass);
  server.on("checkExpectation", pass);
  return server;
}
