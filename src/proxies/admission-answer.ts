import type { Handshake } from "../handshake/handshake.js";
import { type Expectation, isContinue } from "../http/expect-header.js";
import type { Refusal } from "../http/refusal.js";
import type { RefusedWith } from "../observe/record.js";
import { refuse, withStatus } from "../policies/refuse.js";
import { writePlainRefusal, writeRefusal } from "../response/refusal.js";

/**
 * Tells a proxy that an upload is refused.
 *
 * @param by - the refusal's own status.
 * @param options - `isVerbatim`: respond with that status; otherwise with 403, which is all that nginx passes on.
 * @param expectations - of the upload.
 */
export function answerRefused(
  asking: Handshake,
  refused: Refusal,
  by: RefusedWith,
  { isVerbatim }: { readonly isVerbatim: boolean },
  expectations: readonly Expectation[] = [],
): void {
  asking.refuse(by);
  // Proxies take any 2xx for a yes, even if it was meant as a refusal.
  const status = isVerbatim && by.status >= 300 ? by.status : 403;
  const fields = { "Cache-Control": "no-store", ...refused.headers, "X-Admission-Status": by.status };
  const refusal = withStatus(refused, status, fields);
  // A client that waits for a 100 may hang on a refusal with a body (docs/facts.md, "A refusal with a body").
  write(asking, refusal, isVerbatim && !expectations.some(isContinue) ? "problem" : "none");
}

/** Tells a proxy that an upload is accepted. */
export function answerAccepted(asking: Handshake): void {
  write(asking, refuse(204, { headers: { "Cache-Control": "no-store" } }), "none");
}

function write(asking: Handshake, response: Refusal, body: "none" | "problem"): void {
  try {
    writeRefusal(asking, response, body);
  } catch {
    writePlainRefusal(asking, 500);
  }
}
