import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Handshake } from "../handshake/handshake.js";
import type { HttpRequest } from "../http/message.js";
import type { Refusal } from "../http/refusal.js";
import { isFinalOnWire, useOwnEnd } from "../node/response.js";
import { answerError } from "../support/errors.js";
import { cut } from "./closing.js";
import { disarm, disarmWithHead } from "./disarm.js";

/** The body of a refusal. */
export interface RefusalContent {
  /** The `Content-Type`. */
  readonly type: string;
  readonly body: string | Uint8Array;
}

/** The option `refusalBody`. */
export type RefusalBody =
  | "auto"
  | "none"
  | "problem"
  | ((refusal: Refusal, req: HttpRequest) => RefusalContent | undefined);

/** Fields that a policy cannot set. */
const FRAMING_FIELDS: ReadonlySet<string> = new Set(["content-length", "trailer", "transfer-encoding"]);

/** Fields that describe the application's body, which will not be sent. */
const STALE_FIELDS: ReadonlySet<string> = new Set([
  "content-encoding",
  "content-language",
  "content-length",
  "content-range",
  "content-type",
  "etag",
  "last-modified",
  "trailer",
  "transfer-encoding",
]);

/**
 * Writes the whole refusal of a request at once.
 *
 * If the application already has the response, its methods are disarmed. If the application's response has begun, the
 * connection is cut, so that a client cannot take half a response for a whole one.
 *
 * @throws what `refusalBody` or a wrapper of the response throws. The refusal can then be written again.
 */
export function writeRefusal(handshake: Handshake, refusal: Refusal, refusalBody: RefusalBody): void {
  const { res } = handshake;
  if (handshake.isGone || handshake.isAnswered) return;
  if (hasBegun(res)) {
    cut(handshake);
    return;
  }
  const content = hasNoBody(refusal.status) ? undefined : contentOf(handshake, refusal, refusalBody);
  try {
    if (!handshake.stream) res.statusMessage = STATUS_CODES[refusal.status] ?? "";
    removeFields(res, (name) => STALE_FIELDS.has(name));
    // The head is left to `end()`, as Express does: a subclass, a patched prototype or a wrapper may set fields there.
    res.statusCode = refusal.status;
    setFields(res, refusal, content);
    // On HTTP/2 `end()` without an argument leaves the stream open.
    res.end(content && handshake.req.method !== "HEAD" ? content.body : "");
  } catch (error) {
    if (hasBegun(res)) cut(handshake);
    else takeBack(res, refusal);
    throw error;
  }
  if (!handshake.isResponseShared) return;
  if (res.headersSent) {
    disarm(res);
    return;
  }
  // A wrapper ends it later, perhaps with what the application had given it before: Node counts that.
  res.removeHeader("Content-Length");
  disarmWithHead(res, refusal.status);
}

/** Refuses with a status alone, without calling the user's code. Cuts the connection if that fails. */
export function writePlainRefusal(handshake: Handshake, status: number, reason?: string): void {
  const refusal: Refusal = { status, reason, headers: NO_FIELDS, body: undefined };
  try {
    writeRefusal(handshake, refusal, "auto");
  } catch {
    try {
      // An `end` of the user's that throws must not take the refusal with it.
      useOwnEnd(handshake.res);
      writeRefusal(handshake, refusal, "auto");
    } catch {
      cut(handshake);
    }
  }
}

const NO_FIELDS: Refusal["headers"] = Object.freeze({});

// Both, because a disarmed response says that it has not sent a head.
function hasBegun(res: ServerResponse): boolean {
  return res.headersSent || isFinalOnWire(res);
}

function setFields(res: ServerResponse, { status, headers }: Refusal, content: RefusalContent | undefined): void {
  let hasType = false;
  for (const name of Object.keys(headers)) {
    const folded = name.toLowerCase();
    if (FRAMING_FIELDS.has(folded)) continue;
    hasType ||= folded === "content-type";
    res.setHeader(name, headers[name] as string | string[]);
  }
  if (hasNoBody(status)) return;
  if (content && !hasType) res.setHeader("Content-Type", content.type);
  res.setHeader("Content-Length", String(content ? Buffer.byteLength(content.body) : 0));
}

// Removes the fields that the refusal set. Fields of earlier middlewares, such as CORS, stay for the next attempt.
function takeBack(res: ServerResponse, refusal: Refusal): void {
  const own = new Set(Object.keys(refusal.headers).map((name) => name.toLowerCase()));
  removeFields(res, (name) => STALE_FIELDS.has(name) || own.has(name));
}

function removeFields(res: ServerResponse, isOver: (name: string) => boolean): void {
  for (const name of res.getHeaderNames()) if (isOver(name.toLowerCase())) res.removeHeader(name);
}

function hasNoBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

// A client that waits for a 100 may hang on a refusal with a body (docs/facts.md, "A refusal with a body").
function contentOf(handshake: Handshake, refusal: Refusal, refusalBody: RefusalBody): RefusalContent | undefined {
  if (refusal.body !== undefined) return { type: "text/plain; charset=utf-8", body: refusal.body };
  if (typeof refusalBody === "function") return checkedContent(refusalBody(refusal, handshake.req));
  if (refusalBody === "none" || (refusalBody === "auto" && handshake.isWithheld)) return undefined;
  return { type: "application/problem+json", body: problemOf(refusal) };
}

function checkedContent(content: RefusalContent | undefined): RefusalContent | undefined {
  if (content === undefined) return undefined;
  const { type, body } = (content ?? {}) as Partial<RefusalContent>;
  if (typeof type === "string" && (typeof body === "string" || body instanceof Uint8Array)) return { type, body };
  throw answerError("refusalBody", content, "{ type, body } with text or bytes, or undefined");
}

// RFC 9457 §3.1: without a `type`, the title is that of the status code.
function problemOf({ status, reason, problem }: Refusal): string {
  return JSON.stringify({ title: STATUS_CODES[status] ?? "Refused", status, detail: reason, ...problem });
}
