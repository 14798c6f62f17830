import type { IncomingMessage, ServerResponse } from "node:http";
import type { Next } from "../guard/options.js";
import type { Handshake } from "../handshake/handshake.js";
import type { HttpRequest, HttpResponse } from "../http/message.js";
import type { PreparedLogger } from "../observe/logger.js";
import { publishBegin, reportRefusal } from "../observe/record.js";
import { handshakeFor } from "../server/begin.js";
import { markFactory } from "../support/factories.js";
import { answerMalformed } from "./answer.js";
import { Inquiry } from "./inquiry.js";
import { type PreflightGuards, type PreflightOptions, readSettings } from "./options.js";
import { isQuestion, readQuestion } from "./question.js";

/** What {@link preflight} returns: a middleware, or a handler without `next`. */
export type PreflightHandler<Req extends HttpRequest = IncomingMessage, Res extends HttpResponse = HttpResponse> = (
  req: Req,
  res: Res,
  next?: Next,
) => void;

/**
 * Makes a middleware that answers for guards: would they accept an upload? For clients that cannot send `Expect`, such as
 * browsers.
 *
 * A client asks without content. It sends `Upload-Length`, and the `Content-Type`, credentials and conditions that the
 * upload will have. The answer is 204 with `Upload-Verdict: accept`, or the refusal's own status with
 * `Upload-Verdict: refuse` and problem details. Both have `Upload-Limit` if a policy tells one. A question without
 * `Upload-Length` gets the limit alone, and no verdict. A malformed question gets 400.
 *
 * The answer is advice. Nothing is reserved, and the guards decide again when the upload comes. Policies see the upload's
 * method, length and type, whatever middlewares have put on the request, and `upload.isPreflight`. What they put on the
 * request themselves is lost. `onRefusal` and `expectationStatus` of the guards have no effect.
 *
 * Questions are sent by `OPTIONS` or `POST`. All other requests pass on to `next`, and so do CORS preflight requests.
 *
 * @param guards - one guard, or all that stand in the way of the upload, in this order.
 * @param options - see {@link PreflightOptions}.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for a guard that `expectations()` has not returned, an unknown key or a
 *   wrong value.
 * @example app.options("/images/:id", preflight(imageGuard));
 * @see draft-ietf-httpbis-resumable-upload (Upload-Length, Upload-Limit)
 */
export function preflight<Req extends HttpRequest = IncomingMessage, Res extends HttpResponse = HttpResponse>(
  guards: PreflightGuards<Req, Res>,
  options: PreflightOptions = {},
): PreflightHandler<Req, Res> {
  const settings = readSettings(guards, options);
  const [{ context, logger }] = settings.guards;

  return function preflightQuestion(req: Req, res: Res, next?: Next): void {
    if (next !== undefined && !isQuestion(req)) {
      next();
      return;
    }
    const asking = handshakeFor(req as IncomingMessage, res as ServerResponse, context);
    if (asking.refusal || asking.isGone) return;
    publishBegin(asking.req);
    const question = readQuestion(asking.req, settings.methods);
    if (typeof question !== "string") {
      publishBegin(question.req);
      new Inquiry(asking, question, settings.guards).begin();
      return;
    }
    refuseMalformed(asking, question, logger);
  };
}

function refuseMalformed(asking: Handshake, reason: string, logger: PreparedLogger): void {
  const by = { status: 400, policy: "preflight", reason };
  const { req, expectations, length, received, startedAt } = asking;
  reportRefusal(logger, { req, expectations, length, received, startedAt, isPreflight: true, isWithheld: true }, by);
  answerMalformed(asking, by);
}

markFactory(preflight, "preflight(guard)");
