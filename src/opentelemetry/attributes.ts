import type { Attributes } from "@opentelemetry/api";
import type { HttpRequest } from "../http/message.js";
import type { AcceptRecord, RefusalRecord } from "../observe/record.js";

/** Returns the attributes that an event has about a decision. */
export function decisionAttributes(record: AcceptRecord | RefusalRecord): Attributes {
  const { policy, reason, bytesSpared } = record as Partial<RefusalRecord>;
  return present({
    "expectation.policy": policy,
    "expectation.reason": reason,
    "http.response.status_code": finalStatus(record),
    "expectation.declared_length": record.declaredLength,
    "expectation.spared_bytes": bytesSpared,
  });
}

/** The status of the response. The 100 of an acceptance is an interim one. */
export function finalStatus({ status }: AcceptRecord | RefusalRecord): number | undefined {
  return status === 100 ? undefined : status;
}

// As OpenTelemetry's conventions say. Clients may send any method, and each would make a name of spans.
const METHODS: ReadonlySet<string> = new Set("CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT QUERY TRACE".split(" "));

/** Returns the name of the server span of a request. */
export function spanName({ method }: RefusalRecord): string {
  return METHODS.has(method) ? method : "HTTP";
}

/**
 * Returns the attributes of the server span of a refused request.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 */
export function serverAttributes(req: HttpRequest, record: RefusalRecord): Attributes {
  const isKnown = METHODS.has(record.method);
  return present({
    "http.request.method": isKnown ? record.method : "_OTHER",
    "http.request.method_original": isKnown ? undefined : record.method,
    "http.response.status_code": record.status,
    "http.route": record.route,
    "url.path": record.url.replace(/\?.*/s, ""),
    "url.scheme": schemeOf(req),
    "network.protocol.version": record.httpVersion.replace(/^2\.0$/, "2"),
    "client.address": record.client,
    "user_agent.original": record.userAgent,
    "error.type": record.status >= 500 ? String(record.status) : undefined,
  });
}

function schemeOf({ headers, socket }: HttpRequest): string {
  const scheme = headers[":scheme"];
  if (typeof scheme === "string") return scheme;
  return (socket as { encrypted?: boolean } | undefined)?.encrypted === true ? "https" : "http";
}

/** Returns the attributes that have a value: to some exporters `undefined` is one. */
export function present(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
