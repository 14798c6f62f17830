// What tracers send their spans to: servers on loopback that read the formats of OpenTelemetry, Elastic, Sentry and
// New Relic, and keep of each span what the checks compare.
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { buffer } from "node:stream/consumers";
import { gunzipSync, inflateSync } from "node:zlib";
import { cert, key } from "../../helpers/transports.mjs";

/**
 * @typedef {object} Span
 * @property {string} name
 * @property {boolean} isServer - whether it is the one of a whole request
 * @property {string} [path] - of the request
 * @property {number} [status]
 */

const READERS = [
  ["/v1/traces", (text) => JSON.parse(text).resourceSpans.flatMap(otlpSpans)],
  ["/intake/v2/events", (text) => linesOf(text).flatMap(elasticSpans)],
  ["/envelope/", (text) => linesOf(text).flatMap(sentrySpans)],
  ["method=span_event_data", (text) => JSON.parse(text)[2].filter(isSpan).map(newRelicSpan)],
];

export class Collector {
  /** @type {Span[]} */
  spans = [];
  #servers = [];

  static async start() {
    const collector = new Collector();
    const answer = (req, res) => void collector.#answer(req, res);
    collector.#servers = [createServer(answer), createTlsServer({ key, cert }, answer)];
    for (const server of collector.#servers) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
    [collector.port, collector.tlsPort] = collector.#servers.map((server) => server.address().port);
    return collector;
  }

  async #answer(req, res) {
    const text = decoded(req, await buffer(req));
    const read = READERS.find(([part]) => req.url.includes(part))?.[1];
    if (read) this.spans.push(...read(text));
    res.setHeader("Content-Type", "application/json");
    res.end(JSON.stringify(this.#replyTo(req.url)));
  }

  #replyTo(url) {
    // New Relic's agent asks where to connect to, and how often to send.
    if (url.includes("method=preconnect")) return { return_value: { redirect_host: `127.0.0.1:${this.tlsPort}` } };
    if (url.includes("method=connect")) return { return_value: NEW_RELIC_RUN };
    if (url.includes("/agent_listener/")) return { return_value: null };
    return { version: "8.17.0" };
  }

  async close() {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    }
  }
}

const limits = { span_event_data: 1000 };
const NEW_RELIC_RUN = {
  agent_run_id: "1",
  event_harvest_config: { report_period_ms: 500, harvest_limits: limits },
  span_event_harvest_config: { report_period_ms: 500, harvest_limit: 1000 },
};

function decoded({ headers }, content) {
  if (headers["content-encoding"] === "gzip") return gunzipSync(content).toString();
  return (headers["content-encoding"] === "deflate" ? inflateSync(content) : content).toString();
}

const linesOf = (text) =>
  text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));

function otlpSpans({ scopeSpans }) {
  return scopeSpans.flatMap(({ spans }) =>
    spans.map(({ name, kind, attributes, events }) => {
      const of = (key) => Object.values(attributes.find((each) => each.key === key)?.value ?? {})[0];
      const url = of("http.url");
      const path = of("url.path") ?? (url && new URL(url).pathname);
      const status = Number(of("http.response.status_code") ?? of("http.status_code"));
      return { name, isServer: kind === 2, path, status, events: events?.map((event) => event.name) };
    }),
  );
}

function elasticSpans({ transaction, span }) {
  if (span) return [{ name: span.name, isServer: false }];
  if (!transaction) return [];
  const { name, context, otel } = transaction;
  const path = context?.request?.url.pathname ?? otel?.attributes["url.path"];
  const status = context?.response?.status_code ?? otel?.attributes["http.response.status_code"];
  return [{ name, isServer: true, path, status }];
}

function sentrySpans({ items = [] }) {
  return items.map(({ name, is_segment, attributes = {} }) => {
    const path = attributes["url.path"]?.value;
    return { name, isServer: is_segment, path, status: attributes["http.response.status_code"]?.value };
  });
}

// Events of spans come beside them.
const isSpan = ([{ type }]) => type === "Span";

function newRelicSpan([intrinsics, , attributes]) {
  // The second is of spans that OpenTelemetry's API has made.
  const path = attributes["url.path"] ?? attributes["request.uri"];
  return {
    name: intrinsics.name,
    isServer: intrinsics["nr.entryPoint"] === true,
    path,
    status: Number(attributes["http.statusCode"]),
  };
}
