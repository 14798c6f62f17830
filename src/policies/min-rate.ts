import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import { markFactory } from "../support/factories.js";
import { optionalCount, requireCount, requireKnownKeys } from "../support/options.js";
import { named } from "./names.js";
import type { Policy, Upload } from "./policy.js";

/** Options of {@link minRate}; all are optional. */
export interface MinRateOptions {
  /** How long an upload may take beyond the rate, in milliseconds. Default 20,000. */
  graceMs?: number;
}

const OPTION_KEYS = ["graceMs"] as const satisfies readonly (keyof MinRateOptions)[];

/**
 * Cuts an upload off with 408 when its content comes too slowly: `n` bytes have to be there `graceMs` and
 * `n / bytesPerSecond` seconds after the application has asked for them.
 *
 * Time counts only while the application asks for content, so the client does not pay for its slowness. Replaces
 * `minBytesPerSecond` of `attach` for the uploads that it judges, also by a lower rate.
 *
 * @param bytesPerSecond - a whole number, 1 or more.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if a value is wrong, or an option unknown.
 * @example app.put("/videos", expectations({ policies: [minRate(50_000, { graceMs: 10_000 })] }), save);
 * @see RFC 9110 §15.5.9
 */
export function minRate<Req extends HttpRequest = IncomingMessage>(
  bytesPerSecond: number,
  options: MinRateOptions = {},
): Policy<Req> {
  requireCount("minRate(bytesPerSecond)", bytesPerSecond);
  requireKnownKeys("minRate", options, OPTION_KEYS);
  const graceMs = optionalCount("minRate({ graceMs })", options.graceMs, 20_000);
  return named("minRate", (_req: Req, upload: Upload) => {
    if (upload.length !== 0) upload.requireRate(bytesPerSecond, graceMs);
    return true;
  });
}

markFactory(minRate, "minRate(500)");
