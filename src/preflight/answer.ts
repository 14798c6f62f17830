import type { Handshake } from "../handshake/handshake.js";
import type { Refusal } from "../http/refusal.js";
import { uploadLimit } from "../http/upload-fields.js";
import type { PreparedLogger } from "../observe/logger.js";
import { type Recorded, type RefusedWith, reportFault } from "../observe/record.js";
import { refuse, withStatus } from "../policies/refuse.js";
import { type RefusalBody, writePlainRefusal, writeRefusal } from "../response/refusal.js";
import { asError } from "../support/errors.js";

/** A guard's refusal of an upload that a client asks about. */
interface RefusedUpload {
  readonly refusal: Refusal;
  readonly by: RefusedWith;
  /** Of the guard. */
  readonly refusalBody: RefusalBody;
  /** The largest upload in bytes, if a policy has told it. */
  readonly maxSize: number | undefined;
  /** Of the upload, for the record of a `refusalBody` that throws. */
  readonly facts: Recorded;
  /** Of the guard. */
  readonly logger: PreparedLogger;
}

/** Tells a client that its upload would be accepted now. */
export function answerAccepted(asking: Handshake, maxSize: number | undefined): void {
  write(asking, refuse(204, { headers: fieldsOf(asking, { verdict: "accept", maxSize }) }), "none");
}

/** Tells a client that has described no upload how large one may be. */
export function answerLimits(asking: Handshake, maxSize: number | undefined): void {
  write(asking, refuse(204, { headers: fieldsOf(asking, { maxSize }) }), "none");
}

/** Tells a client that its question is malformed. There is no verdict. */
export function answerMalformed(asking: Handshake, by: RefusedWith & { readonly reason: string }): void {
  asking.refuse(by);
  write(asking, refuse(by.status, { reason: by.reason, headers: fieldsOf(asking, {}) }), "problem");
}

/**
 * Tells a client that its upload would be refused now, as the upload would have been told.
 *
 * Always with a body, since no client waits for a 100: for a user, "larger than 10485760 bytes" says more than a status.
 */
export function answerRefused(asking: Handshake, refused: RefusedUpload): void {
  const { refusal, by, refusalBody, maxSize, facts, logger } = refused;
  asking.refuse(by);
  const hasLimit = Object.keys(refusal.headers).some((name) => name.toLowerCase() === "upload-limit");
  const own = fieldsOf(asking, { verdict: "refuse", maxSize: hasLimit ? undefined : maxSize });
  const answer = withStatus(refusal, refusal.status, { ...refusal.headers, ...own });
  const body = typeof refusalBody === "function" ? () => refusalBody(refusal, facts.req) : "problem";
  write(asking, answer, body, facts, logger);
}

interface Told {
  readonly verdict?: "accept" | "refuse";
  readonly maxSize?: number | undefined;
}

// Only what is there: an `undefined` would replace the refusal's own field.
function fieldsOf({ res }: Handshake, { verdict, maxSize }: Told): Record<string, string> {
  const vary = res.getHeader("Vary");
  const limit = uploadLimit(maxSize);
  return {
    "Cache-Control": "no-store",
    // The verdict depends on whatever policies look at (RFC 9110 §12.5.5). `cors` has set `Origin` before.
    Vary: vary === undefined ? "*" : `${vary}, *`,
    ...(verdict === undefined ? {} : { "Upload-Verdict": verdict }),
    ...(limit === undefined ? {} : { "Upload-Limit": limit }),
  };
}

function write(
  asking: Handshake,
  response: Refusal,
  body: RefusalBody,
  facts: Recorded = asking,
  logger = asking.context.logger,
): void {
  try {
    writeRefusal(asking, response, body);
  } catch (error) {
    const by = { status: 500, policy: "refusalBody", reason: undefined };
    reportFault(logger, facts, by, asError(error));
    writePlainRefusal(asking, 500);
  }
}
