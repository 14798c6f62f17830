import type { ExchangeResult } from "./exchange-result.js";
import type { EndpointResult, ProbeResult } from "./result.js";
import { isFinal } from "./summary.js";

/**
 * Returns the exchanges of a result as an HTTP archive, for other tools to open.
 *
 * It has what {@link ProbeResult} has: no credentials, and no content that was sent.
 *
 * @see http://www.softwareishard.com/blog/har-12-spec/
 */
export function harOf(result: ProbeResult): object {
  const endpoints = [result.target, ...(result.direct ? [result.direct] : [])];
  return {
    log: {
      version: "1.2",
      creator: { name: "express-expectations probe", version: String(result.schema) },
      comment: result.verdict.headline,
      entries: endpoints.flatMap((endpoint) =>
        endpoint.exchanges.filter(({ events }) => events.length > 0).map((one) => entryOf(one, endpoint, result)),
      ),
    },
  };
}

function entryOf(exchange: ExchangeResult, { url }: EndpointResult, { startedAt }: ProbeResult): object {
  const { events, summary, protocol, id, title } = exchange;
  const head = events.find((event) => event.kind === "sent");
  const final = events.find(isFinal);
  const complete = events.find((event) => event.kind === "complete");
  const lastMs = events.at(-1)?.atMs ?? 0;
  const sentMs = head?.atMs ?? 0;
  const waitMs = Math.max(0, (final?.atMs ?? lastMs) - sentMs);
  const interims = events.flatMap((event) =>
    event.kind === "received" && event.status < 200 ? [`${event.status} after ${event.atMs} ms`] : [],
  );
  return {
    startedDateTime: startedAt,
    time: lastMs,
    request: {
      method: exchange.method,
      url,
      httpVersion: protocol,
      cookies: [],
      headers: fieldsOf(head?.kind === "sent" ? head.lines : []),
      queryString: [],
      headersSize: head?.kind === "sent" ? head.bytes : -1,
      bodySize: summary.contentBytesSent,
    },
    response: {
      status: final?.status ?? 0,
      statusText: /^HTTP\/\d\.\d \d{3} (.*)/.exec(final?.lines[0] ?? "")?.[1] ?? "",
      httpVersion: protocol,
      cookies: [],
      headers: fieldsOf(final?.lines ?? []),
      content: {
        size: complete?.kind === "complete" ? complete.bytes : 0,
        mimeType: "",
        text: complete?.kind === "complete" ? complete.sample : "",
      },
      redirectURL: "",
      headersSize: -1,
      bodySize: complete?.kind === "complete" ? complete.bytes : -1,
    },
    cache: {},
    timings: { send: sentMs, wait: waitMs, receive: Math.max(0, lastMs - sentMs - waitMs) },
    comment: [`${id}: ${title}`, ...interims].join("; "),
  };
}

// Without the first line, and without the pseudo-fields of HTTP/2, which begin with a colon.
function fieldsOf([, ...lines]: readonly string[]): { name: string; value: string }[] {
  return lines
    .filter((line) => line.indexOf(":") > 0)
    .map((line) => {
      const colon = line.indexOf(":");
      return { name: line.slice(0, colon), value: line.slice(colon + 1).trim() };
    });
}
