import type { Agent } from "node:http";
import { ExpectationError, messageOf, optionError } from "../support/errors.js";
import { bodyOf } from "./body.js";
import { connectTls } from "./connect.js";
import { UploadError } from "./error.js";
import { type Attempt, Exchange } from "./exchange.js";
import { firstHop, type Hop, nextHop } from "./hop.js";
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
  const body = await bodyOf(settings.body, announcedIn(settings.headers));
  let hop = firstHop(target, settings.headers, body);
  let attempts = 0;
  let mayRetry = true;
  try {
    for (;;) {
      attempts++;
      const exchange = new Exchange(hop, settings, body);
      try {
        const attempt = await perform(exchange, hop.url.protocol === target.protocol ? settings.agent : undefined);
        const result = { ...attempt, attempts, url: hop.url };
        const isGone = body.once !== undefined && exchange.isBodyBegun;
        const next: Hop | undefined = isGone ? undefined : await nextHop(hop, result, settings);
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

async function perform(exchange: Exchange, agent: Agent | undefined): Promise<Attempt> {
  const { signal } = exchange.settings;
  const abort = () =>
    exchange.fail(new UploadError("ERR_UPLOAD_ABORTED", "the upload was aborted", { cause: signal?.reason }));
  if (signal?.aborted) abort();
  else start(exchange, agent).catch((cause: Error) => exchange.fail(wrongRequest(cause)));
  signal?.addEventListener("abort", abort);
  try {
    return await exchange.outcome;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

async function start(exchange: Exchange, agent: Agent | undefined): Promise<void> {
  const { hop, body } = exchange;
  const isRepeated = !hop.expects && body.length !== 0;
  if (agent || hop.url.protocol === "http:") return overHttp1(exchange, agent ?? (isRepeated ? false : undefined));
  const connection = await connectTls(exchange);
  return connection.alpnProtocol === "h2" ? overHttp2(exchange, connection) : overHttp1(exchange, connection);
}

function requireUrl(url: string | URL): URL {
  const parsed = URL.canParse(String(url)) ? new URL(url) : undefined;
  if (parsed && /^https?:$/.test(parsed.protocol)) return parsed;
  // The message does not repeat the value, which may contain a password.
  throw optionError("upload(url)", typeof url === "string" ? "other text" : url, "an http: or https: URL");
}

// Node has checked the method and the fields, and refuses them.
function wrongRequest(cause: Error): ExpectationError {
  return new ExpectationError("ERR_EXPECT_OPTION", `upload(url, options): ${messageOf(cause)}`, { cause });
}
