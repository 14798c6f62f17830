import { isIP } from "node:net";
import * as tls from "node:tls";
import type { Exchange } from "./exchange.js";

/** Opens a TLS connection that offers HTTP/2. If that fails, the exchange fails, and the promise stays pending. */
export function connectTls(exchange: Exchange): Promise<tls.TLSSocket> {
  const { hop, settings } = exchange;
  const host = hop.url.hostname.replace(/^\[|\]$/g, "");
  const socket = tls.connect({
    host,
    port: Number(hop.url.port) || 443,
    ...(isIP(host) === 0 && { servername: host }),
    ALPNProtocols: ["h2", "http/1.1"],
    ...settings.tls,
  });
  exchange.discard = () => void socket.destroy();
  socket.on("error", (error) => exchange.broke(error));
  socket.on("close", () => exchange.broke());
  socket.setTimeout(settings.idleTimeoutMs, () => void exchange.timedOut());
  return new Promise((resolve) => {
    socket.once("secureConnect", () => {
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}
