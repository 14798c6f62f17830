import * as http2 from "node:http2";
import type { Socket } from "node:net";
import { NOT_IN_HTTP2 } from "../http/not-in-http2.js";
import type { WireEvent } from "./exchange-result.js";
import type { ExchangePlan } from "./plan.js";
import type { ProbeRequest } from "./request.js";
import { headOf } from "./request-head.js";
import type { Shown } from "./shown.js";
import { WATCH_MS } from "./timing.js";
import { hasFinal, waitForFinal, waitForVerdict, watchPage } from "./waits.js";
import { linesOf, recordStream } from "./wire/http2-stream.js";
import { Journal } from "./wire/journal.js";

// `te` may be "trailers" alone, and an origin has no use for the credentials of a proxy.
const DROPPED = new Set([...NOT_IN_HTTP2, "proxy-authorization", "te"]);

/** A request of the user that HTTP/2 cannot carry. */
export class NotOnHttp2 extends Error {
  override readonly name = "NotOnHttp2";
}

/**
 * Runs the handshake on HTTP/2, on a connection that negotiated it.
 *
 * @throws {NotOnHttp2} if HTTP/2 cannot carry the request.
 */
export async function runHttp2(
  socket: Socket,
  request: ProbeRequest,
  url: URL,
  plan: ExchangePlan,
  shown: Shown,
): Promise<readonly WireEvent[]> {
  const session = http2.connect(url.origin, { createConnection: () => socket });
  session.on("error", () => {});
  const stream = requested(session, fieldsOf(request, url, plan));
  const journal = new Journal();
  const stop = recordStream(session, stream, journal, shown);
  const head = linesOf(fieldsOf(request, url, plan), shown);
  journal.add({ kind: "sent", what: "head", lines: head, bytes: head.join("\r\n").length });
  await handshake(journal, stream, plan);
  stop();
  session.destroy();
  return journal.events;
}

function requested(session: http2.ClientHttp2Session, fields: http2.OutgoingHttpHeaders): http2.ClientHttp2Stream {
  try {
    return session.request(fields, { endStream: false });
  } catch (error) {
    session.destroy();
    throw new NotOnHttp2(`HTTP/2 cannot carry this request: ${(error as Error).message}`);
  }
}

async function handshake(journal: Journal, stream: http2.ClientHttp2Stream, plan: ExchangePlan): Promise<void> {
  if (!(await waitForVerdict(journal, plan.verdictMs))) return;
  if (!hasFinal(journal)) {
    if (!plan.content) return void (await journal.until(() => hasFinal(journal), WATCH_MS));
    journal.add({ kind: "sent", what: "content", lines: [], bytes: plan.content.length });
    stream.end(plan.content);
    if (!(await waitForFinal(journal, plan.finalMs))) return;
  }
  await watchPage(journal);
}

function fieldsOf(request: ProbeRequest, url: URL, { content, spec }: ExchangePlan): http2.OutgoingHttpHeaders {
  const announced = content?.length ?? request.content.length;
  const shape = { method: request.method, version: "1.1", expect: spec.expect, announced } as const;
  // The same fields as on HTTP/1. The first line is dropped, because pseudo-fields replace it.
  const [, ...lines] = headOf(request, url, shape).trimEnd().split("\r\n");
  const fields: http2.OutgoingHttpHeaders = {
    ":method": request.method,
    ":scheme": url.protocol.slice(0, -1),
    ":authority": request.headers.find(([name]) => name.toLowerCase() === "host")?.[1] ?? url.host,
    ":path": `${url.pathname}${url.search}`,
  };
  for (const line of lines) {
    const name = line.slice(0, line.indexOf(":")).toLowerCase();
    if (DROPPED.has(name)) continue;
    const value = line.slice(line.indexOf(":") + 1).trim();
    const before = fields[name] as string | readonly string[] | undefined;
    fields[name] = before === undefined ? value : [before, value].flat();
  }
  return fields;
}
