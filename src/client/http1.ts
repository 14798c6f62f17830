import * as http from "node:http";
import * as https from "node:https";
import type { TLSSocket } from "node:tls";
import { readOnAfterFailedWrite } from "../node/read-on.js";
import type { Exchange } from "./exchange.js";
import { fieldsOf } from "./hop.js";

/**
 * Sends a request over HTTP/1.1.
 *
 * @param connection - what to send it on: an open connection, or an agent. `false` stands for a connection of its own.
 */
export function overHttp1(exchange: Exchange, connection: TLSSocket | http.Agent | false | undefined): void {
  const { hop, settings, body } = exchange;
  const { protocol, hostname, port, pathname, search } = hop.url;
  const isTls = protocol === "https:";
  // An object with these alone is cheaper than the URL.
  const options: https.RequestOptions = {
    protocol,
    hostname: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname,
    port,
    path: pathname + search,
    method: settings.method,
    headers: fieldsOf(hop, body),
  };
  if (isTls) Object.assign(options, settings.tls);
  if (connection && "write" in connection) options.createConnection = () => connection;
  else if (connection !== undefined) options.agent = connection;
  const req = (isTls ? https : http).request(options);
  let response: http.IncomingMessage | undefined;
  // Bytes behind a complete response are an error to Node, even if they come in the same packet.
  const over = (error?: Error) => {
    if (response?.complete) exchange.ended(response.trailers);
    exchange.broke(error);
  };
  exchange.discard = () => void req.destroy();
  exchange.watch = () => void req.setTimeout(settings.idleTimeoutMs, () => exchange.idled());
  req.on("socket", (socket: TLSSocket & { secureConnecting?: boolean }) => {
    exchange.isReused = req.reusedSocket;
    exchange.onOver = readOnAfterFailedWrite(socket);
    const isOpen = !socket.connecting && !socket.secureConnecting;
    if (isOpen) exchange.opened(req);
    else socket.once(isTls ? "secureConnect" : "connect", () => exchange.opened(req));
  });
  req.on("information", ({ statusCode, headers }) => exchange.interim(statusCode, headers));
  req.on("response", (res) => {
    response = res;
    exchange.final(res.statusCode ?? 0, res.headers);
    res.on("data", (chunk: Buffer) => exchange.received(chunk));
    res.on("end", () => exchange.ended(res.trailers));
    res.on("error", over);
  });
  req.on("error", over);
  // After a 101, Node closes the request without an error.
  req.on("close", () => over());
  if (body.length === 0) req.end();
  else req.flushHeaders();
}
