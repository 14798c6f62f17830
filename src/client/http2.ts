import * as http2 from "node:http2";
import type { TLSSocket } from "node:tls";
import type { Exchange } from "./exchange.js";
import { fieldsOf } from "./hop.js";

type Fields = http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader;

/** Fields that HTTP/2 has no use for (RFC 9113 §8.2.2), or that are pseudo-fields there. */
const NOT_IN_HTTP2 = ["connection", "host", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/** Sends a request over HTTP/2, on a connection that has negotiated it. */
export function overHttp2(exchange: Exchange, connection: TLSSocket): void {
  const { hop, settings, body } = exchange;
  const session = http2.connect(hop.url.origin, { createConnection: () => connection });
  exchange.discard = () => session.destroy();
  exchange.onOver = () => session.close();
  session.on("error", (error) => exchange.broke(error));
  const fields = Object.entries(fieldsOf(hop, body)).filter(([name]) => !NOT_IN_HTTP2.includes(name));
  const path = { ":method": settings.method, ":path": `${hop.url.pathname}${hop.url.search}` };
  const stream = session.request({ ...Object.fromEntries(fields), ...path }, { endStream: body.length === 0 });
  let trailers = {};
  stream.on("headers", (fields: Fields) => exchange.interim(...statusAndFields(fields)));
  stream.on("response", (fields) => exchange.final(...statusAndFields(fields)));
  stream.on("trailers", (fields) => {
    trailers = fields;
  });
  stream.on("data", (chunk: Buffer) => exchange.received(chunk));
  stream.on("end", () => {
    // A stream that was reset ends, too.
    if (stream.rstCode === http2.constants.NGHTTP2_NO_ERROR) exchange.ended(trailers);
  });
  exchange.watch = () => void stream.setTimeout(settings.idleTimeoutMs, () => exchange.idled());
  stream.on("error", (error) => exchange.broke(error));
  stream.on("close", () => exchange.broke());
  exchange.opened(stream);
}

function statusAndFields({ ":status": status = 0, ...fields }: Fields): [number, http2.IncomingHttpHeaders] {
  return [status, fields];
}
