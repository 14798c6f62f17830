import type { IncomingMessage, ServerResponse } from "node:http";
import type { Handshake } from "../handshake/handshake.js";
import { type HttpRequest, type HttpResponse, isBare, isSafe } from "../http/message.js";
import { loggableUrl } from "../observe/printable.js";
import { publishBegin } from "../observe/record.js";
import { handshakeFor } from "../server/begin.js";
import { ExpectationError } from "../support/errors.js";
import { markFactory } from "../support/factories.js";
import { autoAttacher } from "./auto-attach.js";
import { withSettings } from "./guard-settings.js";
import { Judgement } from "./judgement.js";
import {
  type ExpectationOptions,
  type Guard,
  type GuardSettings,
  type Next,
  readSettings,
  requireCall,
} from "./options.js";

/**
 * Makes a guard: a middleware that decides about an upload before it is sent.
 *
 * Judges every request with a body, an `Expect` header or an unsafe method. All others pass at almost no cost. Guards
 * compose: the one `100 Continue` goes out when every guard on the way has accepted and somebody reads the content.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for an unknown key or a wrong value.
 * @example app.put("/files", expectations({ policies: [maxSize("10mb")] }), save);
 * @see RFC 9110 §10.1.1
 */
export function expectations<Req extends HttpRequest = IncomingMessage, Res extends HttpResponse = HttpResponse>(
  options: ExpectationOptions<Req, Res> = {},
): Guard<Req, Res> {
  requireCall(options);
  const settings = readSettings(options as unknown as ExpectationOptions<never, never>);
  const attachTo = settings.autoAttach ? autoAttacher(settings) : undefined;
  const warned = new Set<string>();

  return withSettings(function expectationGuard(req: Req, res: Res, next: Next): void {
    if (typeof next !== "function") throw notMounted();
    attachTo?.(req, res);
    if (isOutOfScope(req, settings)) {
      next();
      return;
    }
    const handshake = handshakeFor(req as IncomingMessage, res as ServerResponse, settings.context);
    if (handshake.refusal) return;
    const lateness = latenessOf(handshake);
    if (lateness !== undefined && !warned.has(lateness)) {
      warned.add(lateness);
      const details = { event: "expectation.late", url: loggableUrl(req.url ?? "") };
      settings.logger.warn(details, `a guard came too late: ${lateness}`);
    }
    if (handshake.isGone) return;
    publishBegin(handshake.req);
    new Judgement(handshake, settings, next).begin();
  }, settings);
}

markFactory(expectations, "expectations({ policies: […] })");

function isOutOfScope(req: HttpRequest, settings: GuardSettings): boolean {
  if (settings.onlyExpectations) return req.headers.expect === undefined;
  return isBare(req) && isSafe(req.method);
}

// A fault of the program: each is logged once for each guard.
function latenessOf(handshake: Handshake): string | undefined {
  const { req, res } = handshake;
  if (res.headersSent) return "the response had begun before it; mount it in front of the routes that it guards";
  const isRead = handshake.length !== 0 && !handshake.isGone && (handshake.hasReader || req.readableDidRead);
  return isRead ? "the content was read before it; mount it in front of body parsers" : undefined;
}

function notMounted(): ExpectationError {
  return new ExpectationError(
    "ERR_EXPECT_OPTION",
    "a guard was called without next; it is a middleware and no policy: app.use(guard), or hand its policies to the other guard",
  );
}
