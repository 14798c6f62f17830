import type { EndpointOptions } from "./endpoint-options.js";
import type { ExchangeResult } from "./exchange-result.js";
import type { ExchangeSpec } from "./exchanges.js";
import type { Unreachable } from "./result.js";

/** Returns why an exchange is left out; `undefined` if it runs. */
export function whySkipped(
  spec: ExchangeSpec,
  options: EndpointOptions,
  before: readonly ExchangeResult[],
): string | undefined {
  if (spec.sendsContent === "always" && !options.sendsContent) return options.whyNot ?? "content is not sent";
  if (spec.isHttp2 && options.url.protocol !== "https:") return "HTTP/2 is negotiated on TLS only";
  if (spec.id === "sent" && before.some(isSilent)) return "no 100 came; the exchange late shows what follows";
  return undefined;
}

/** Returns whether the handshake got no verdict. Later exchanges then wait for a shorter time. */
export function isSilent({ id, skipped, summary }: ExchangeResult): boolean {
  return id === "withheld" && skipped === undefined && summary.verdict === "none";
}

const CLIENT_CERTIFICATE = /CERTIFICATE_REQUIRED|ALERT_(?:BAD_CERTIFICATE|HANDSHAKE_FAILURE|UNKNOWN_CA)/;

/** Returns why the endpoint is useless to probe: its first request got no HTTP response. */
export function whyUnreachable({ id, events, summary }: ExchangeResult): Unreachable | undefined {
  if (id !== "plain" || summary.status !== undefined) return undefined;
  const malformed = events.find((event) => event.kind === "malformed");
  if (malformed) {
    const bytes = malformed.sample === "" ? "" : `; it begins with: ${malformed.sample.slice(0, 60)}`;
    return { code: "malformed", message: `the response is not HTTP: ${malformed.reason}${bytes}` };
  }
  const reset = events.find((event) => event.kind === "reset");
  if (reset && CLIENT_CERTIFICATE.test(reset.code)) {
    return { code: "tls", message: "the server wants a certificate of the client; --cert and --key pass one" };
  }
  const quiet = events.find((event) => event.kind === "quiet");
  if (quiet)
    return { code: "silent", message: `the server accepts the connection and says nothing for ${quiet.ms} ms` };
  return { code: "closed", message: "the server closes the connection without a response" };
}
