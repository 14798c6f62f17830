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
  const isTls = hop.url.protocol === "https:";
  const req = (isTls ? https : http).request(hop.url, {
    method: settings.method,
    headers: fieldsOf(hop, body),
    timeout: settings.idleTimeoutMs,
    ...(isTls && settings.tls),
    ...(connection && "write" in connection
      ? { createConnection: () => connection }
      : connection !== undefined && { agent: connection }),
  });
  let response: http.IncomingMessage | undefined;
  // Bytes behind a complete response are an error to Node, even if they come in the same packet.
  const over = (error?: Error) => {
    if (response?.complete) exchange.ended(response.trailers);
    exchange.broke(error);
  };
  exchange.discard = () => void req.destroy();
  req.on("socket", (socket: TLSSocket & { secureConnecting?: boolean }) => {
    exchange.isReused = req.reusedSocket;
    const undo = readOnAfterFailedWrite(socket);
    exchange.outcome.then(undo, undo);
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
  req.on("timeout", () => {
    if (exchange.timedOut()) req.setTimeout(settings.idleTimeoutMs);
  });
  req.on("error", over);
  req.on("close", () => over());
  if (body.length === 0) req.end();
  else req.flushHeaders();
}
