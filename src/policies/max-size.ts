import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import { uploadLimit } from "../http/upload-fields.js";
import { markFactory } from "../support/factories.js";
import { parseSize } from "../support/size.js";
import { named } from "./names.js";
import type { Policy, Upload } from "./policy.js";
import { refuse } from "./refuse.js";

/**
 * Refuses an upload that is larger than `limit`, with 413 and `Upload-Limit`. If its length is declared, it is refused
 * before it is sent.
 *
 * Content of unknown length, or longer than declared, is counted as it arrives and cut off at the limit.
 *
 * @param limit - bytes, or a size such as `"10mb"` (1 mb = 1,048,576 bytes).
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if `limit` is not a positive size.
 * @example app.put("/files", expectations({ policies: [maxSize("10mb")] }), save);
 * @see RFC 9110 §15.5.14, draft-ietf-httpbis-resumable-upload (Upload-Limit)
 */
export function maxSize<Req extends HttpRequest = IncomingMessage>(limit: number | string): Policy<Req> {
  const bytes = parseSize(limit, "maxSize(limit)");
  const tooLarge = refuse(413, {
    reason: `larger than ${bytes} bytes`,
    headers: { "Upload-Limit": uploadLimit(bytes) },
  });
  return named("maxSize", (_req: Req, upload: Upload) => {
    if (upload.length !== undefined && upload.length > bytes) return tooLarge;
    if (upload.length !== 0) upload.limitBytes(bytes, tooLarge);
    return true;
  });
}

markFactory(maxSize, 'maxSize("10mb")');
