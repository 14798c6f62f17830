import * as http2 from "node:http2";
import type { TLSSocket } from "node:tls";
import { NOT_IN_HTTP2 } from "../http/not-in-http2.js";
import type { Exchange } from "./exchange.js";
import { fieldsOf } from "./hop.js";

type Fields = http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader;

/** Sends a request over HTTP/2, on a connection that has negotiated it. */
export function overHttp2(exchange: Exchange, connection: TLSSocket): void {
  const { hop, settings, body } = exchange;
  const session = http2.connect(hop.url.origin, { createConnection: () => connection });
  exchange.discard = () => session.destroy();
  exchange.onOver = () => session.close();
  session.on("error", (error) => exchange.broke(error));
  const all = fieldsOf(hop, body);
  const fields = Object.fromEntries(Object.entries(all).filter(([name]) => !NOT_IN_HTTP2.has(name)));
  fields[":method"] = settings.method;
  fields[":authority"] = all.host ?? hop.url.host;
  fields[":path"] = `${hop.url.pathname}${hop.url.search}`;
  const stream = session.request(fields, { endStream: body.length === 0 });
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
