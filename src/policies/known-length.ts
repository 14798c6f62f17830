import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import { markFactory } from "../support/factories.js";
import { named } from "./names.js";
import { asksForLimits, type Policy, type Upload } from "./policy.js";
import { LENGTH_REQUIRED } from "./unknown-length.js";

/**
 * Refuses an upload that does not declare its length, with 411. Accepts a request without content.
 *
 * @example expectations({ policies: [knownLength(), maxSize("1gb")] })
 * @see RFC 9110 §15.5.12
 */
export function knownLength<Req extends HttpRequest = IncomingMessage>(): Policy<Req> {
  return named("knownLength", (_req: Req, upload: Upload) =>
    upload.length === undefined && !asksForLimits(upload) ? LENGTH_REQUIRED : true,
  );
}

markFactory(knownLength, "knownLength()");
