import type { Agent } from "node:http";
import type { TLSSocket } from "node:tls";
import { ExpectationError, messageOf, optionError } from "../support/errors.js";
import { bodyOf } from "./body.js";
import { connectTls } from "./connect.js";
import { UploadError } from "./error.js";
import { type Attempt, Exchange } from "./exchange.js";
import { firstHop, type Hop, mayGoOn, nextHop } from "./hop.js";
import { overHttp1 } from "./http1.js";
import { overHttp2 } from "./http2.js";
import { announcedIn, checked, type UploadOptions, type UploadResult } from "./options.js";

/**
 * Uploads with `Expect: 100-continue`: sends the header section, and the body only when the server has asked for it.
 *
 * A server that asks for nothing gets the body after `expectTimeoutMs`. A final status of 300 or more stops the body, and
 * the connection is not used again. A 417 is repeated once without `Expect`, on another connection. On `https:`, HTTP/2
 * is used if the server offers it and no `agent` is given.
 *
 * @returns the final response, whatever its status.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for a wrong option.
 * @throws {UploadError} if there is no final response; also rejects with what a callback throws.
 * @example const { status } = await upload("https://example.com/files/1", { body: { file: "photo.png" } });
 * @see RFC 9110 §10.1.1
 */
export async function upload(url: string | URL, options: UploadOptions = {}): Promise<UploadResult> {
  const settings = checked(options);
  const target = requireUrl(url);
  const { protocol } = target;
  const body = await bodyOf(settings.body, announcedIn(settings.headers));
  let hop = firstHop(target, settings.headers, body);
  let attempts = 0;
  let mayRetry = true;
  try {
    for (;;) {
      attempts++;
      const exchange = new Exchange(hop, settings, body);
      try {
        const attempt = await perform(exchange, hop.url.protocol === protocol ? settings.agent : undefined);
        const result = Object.assign(attempt, { attempts, url: hop.url });
        const isGone = body.once !== undefined && exchange.isBodyBegun;
        if (isGone || !mayGoOn(result.status)) return result;
        const next: Hop | undefined = await nextHop(hop, result, settings);
        if (!next) return result;
        hop = next;
      } catch (error) {
        if (!mayRetry || !exchange.isStale(error)) throw error;
        mayRetry = false;
      }
    }
  } catch (error) {
    if (error instanceof UploadError) error.attempts = attempts;
    throw error;
  } finally {
    body.once?.destroy();
  }
}

function perform(exchange: Exchange, agent: Agent | undefined): Promise<Attempt> {
  const { signal } = exchange.settings;
  if (!signal) {
    start(exchange, agent);
    return exchange.outcome;
  }
  const abort = () =>
    exchange.fail(new UploadError("ERR_UPLOAD_ABORTED", "the upload was aborted", { cause: signal.reason }));
  if (signal.aborted) abort();
  else start(exchange, agent);
  signal.addEventListener("abort", abort);
  return exchange.outcome.finally(() => signal.removeEventListener("abort", abort));
}

function start(exchange: Exchange, agent: Agent | undefined): void {
  const { hop, body } = exchange;
  const isRepeated = !hop.expects && body.length !== 0;
  attempt(exchange, () => {
    if (agent || hop.url.protocol === "http:") overHttp1(exchange, agent ?? (isRepeated ? false : undefined));
    else connectTls(exchange, (connection) => attempt(exchange, () => overTls(exchange, connection)));
  });
}

function overTls(exchange: Exchange, connection: TLSSocket): void {
  if (connection.alpnProtocol === "h2") overHttp2(exchange, connection);
  else overHttp1(exchange, connection);
}

// Node checks the method, the fields and the options for TLS, and throws.
function attempt(exchange: Exchange, send: () => void): void {
  try {
    send();
  } catch (cause) {
    const message = `upload(url, options): ${messageOf(cause as Error)}`;
    exchange.fail(new ExpectationError("ERR_EXPECT_OPTION", message, { cause }));
  }
}

function requireUrl(url: string | URL): URL {
  let parsed: URL | undefined;
  try {
    parsed = new URL(url);
  } catch {
    // The message does not repeat the value, which may contain a password.
  }
  if (parsed?.protocol === "http:" || parsed?.protocol === "https:") return parsed;
  throw optionError("upload(url)", typeof url === "string" ? "other text" : url, "an http: or https: URL");
}
