import type { Expectation } from "../http/expect-header.js";
import type { HttpRequest } from "../http/message.js";
import { messageOf } from "../support/errors.js";
import {
  acceptChannel,
  beginChannel,
  contentChannel,
  dispatchChannel,
  errorChannel,
  publish,
  refuseChannel,
} from "./diagnostics.js";
import { PREPARE, type PreparedLogger } from "./logger.js";
import { loggableUrl, printable } from "./printable.js";

/** One refusal, as it is logged. Keys without a value are left out. */
export interface RefusalRecord {
  readonly event: "expectation.refused" | "expectation.error";
  readonly method: string;
  /** The request target without query values. */
  readonly url: string;
  /** The route's pattern, if a router matched one. */
  readonly route?: string;
  readonly status: number;
  readonly policy: string;
  /** `true` if a client asked before its upload (`preflight`). The record then describes the upload. */
  readonly preflight?: true;
  readonly reason?: string;
  readonly expectation?: string;
  /** Bytes. */
  readonly declaredLength?: number;
  /** Declared bytes that had not arrived when the refusal was written. */
  readonly bytesSpared?: number;
  /** `true` if the client held its content back: none was sent. Absent if it sent content that was not received. */
  readonly withheld?: true;
  /** Bytes of content that had arrived when an upload was cut off that had been accepted. Absent in other refusals. */
  readonly cutOffAfter?: number;
  /** The client's address. */
  readonly client?: string;
  readonly userAgent?: string;
  /** From the request's header section to the refusal, in milliseconds. */
  readonly durationMs: number;
  readonly httpVersion: string;
  readonly requestId?: string;
}

/** One acceptance, for the channel `express-expectations:accept`. `status` is 100 if one was sent. */
export interface AcceptRecord
  extends Omit<
    RefusalRecord,
    "event" | "status" | "policy" | "preflight" | "reason" | "bytesSpared" | "withheld" | "cutOffAfter"
  > {
  readonly event: "expectation.accepted";
  readonly status?: 100;
}

/** The message of `express-expectations:dispatch`: `attach` hands a request to the application, after its own guard. */
export interface DispatchMessage {
  readonly req: HttpRequest;
}

/**
 * The message of `express-expectations:begin`: a guard, `preflight` or `admission` begins to decide about a request.
 *
 * Published in the async context in which that middleware was called.
 */
export interface BeginMessage {
  /** The request as policies see it. */
  readonly req: HttpRequest;
}

/** The message of `express-expectations:accept`: one for each request that guards accepted, or whose 100 was sent. */
export interface AcceptMessage {
  readonly req: HttpRequest;
  /** Its `durationMs` ends with the verdict. */
  readonly record: AcceptRecord;
}

/** The message of `express-expectations:refuse`. */
export interface RefuseMessage {
  readonly req: HttpRequest;
  readonly record: RefusalRecord;
}

/** The message of `express-expectations:error`. */
export interface FaultMessage {
  readonly req: HttpRequest;
  readonly record: RefusalRecord;
  readonly error: Error;
}

/** The message of `express-expectations:content`. */
export interface ContentMessage {
  readonly req: HttpRequest;
  /** From the 100 to the first byte of content, in milliseconds. */
  readonly waitedMs: number;
}

/** How a request was refused. */
export interface RefusedWith {
  readonly status: number;
  readonly policy: string;
  readonly reason: string | undefined;
}

/** What a record is made of: a request with its handshake, or one that a proxy asks about. */
export interface Recorded {
  readonly req: HttpRequest;
  readonly expectations: readonly Expectation[];
  /** Announced bytes; 0 for none; `undefined` for an unknown length. */
  readonly length: number | undefined;
  /** Whether a client asks before its upload. */
  readonly isPreflight?: boolean;
  /** Whether the client may hold its content back until it gets a response. */
  readonly isWithheld: boolean;
  /** Bytes that have arrived until now. */
  readonly received: number;
  /** When the request's header section came, by `performance.now()`. */
  readonly startedAt: number;
  /** When a guard accepted, by `performance.now()`. */
  readonly acceptedAt?: number | undefined;
  /** Whether an acceptance was published. */
  readonly isSettled?: boolean;
  /** `"continued"` when a 100 was sent. */
  readonly state?: string;
}

/** Logs a refusal at `warn` and publishes it. */
export function reportRefusal(logger: PreparedLogger, handshake: Recorded, by: RefusedWith): void {
  const write = logger[PREPARE]("warn");
  if (!write && !refuseChannel.hasSubscribers) return;
  const record = refusalOf("expectation.refused", handshake, by);
  write?.(record, `${record.method} ${record.url} refused with ${by.status} by ${record.policy}`);
  if (!refuseChannel.hasSubscribers) return;
  const message: RefuseMessage = { req: handshake.req, record };
  publish(refuseChannel, message);
}

/** Logs a fault at `error`, with the error that caused it, and publishes it. */
export function reportFault(logger: PreparedLogger, handshake: Recorded, by: RefusedWith, error: Error): void {
  const write = logger[PREPARE]("error");
  if (!write && !errorChannel.hasSubscribers) return;
  const record = refusalOf("expectation.error", handshake, by);
  const text = `${record.method} ${record.url} refused with ${by.status}: ${printable(messageOf(error))}`;
  write?.({ ...record, err: error }, text);
  if (!errorChannel.hasSubscribers) return;
  const message: FaultMessage = { req: handshake.req, record, error };
  publish(errorChannel, message);
}

/** Publishes that a request is handed on to the application. */
export function publishDispatched(req: HttpRequest): void {
  if (!dispatchChannel.hasSubscribers) return;
  const message: DispatchMessage = { req };
  publish(dispatchChannel, message);
}

/** Publishes that somebody begins to decide about a request. */
export function publishBegin(req: HttpRequest): void {
  if (!beginChannel.hasSubscribers) return;
  const message: BeginMessage = { req };
  publish(beginChannel, message);
}

/** Publishes that a request was accepted. */
export function publishAccepted(handshake: Recorded): void {
  if (!acceptChannel.hasSubscribers) return;
  const record = withoutEmpty({
    event: "expectation.accepted",
    status: handshake.state === "continued" ? 100 : undefined,
    ...factsOf(handshake, handshake.acceptedAt),
  }) as unknown as AcceptRecord;
  const message: AcceptMessage = { req: handshake.req, record };
  publish(acceptChannel, message);
}

/** Publishes how long the first content took to come. */
export function publishContent({ req }: Recorded, waitedMs: number): void {
  const message: ContentMessage = { req, waitedMs };
  publish(contentChannel, message);
}

interface FrameworkRequest {
  readonly originalUrl?: unknown;
  readonly baseUrl?: unknown;
  readonly route?: { readonly path?: unknown };
  readonly ip?: unknown;
  readonly id?: unknown;
}

function refusalOf(event: RefusalRecord["event"], handshake: Recorded, by: RefusedWith): RefusalRecord {
  const { length, received, isWithheld } = handshake;
  return withoutEmpty({
    event,
    status: by.status,
    policy: by.policy,
    preflight: handshake.isPreflight === true ? true : undefined,
    reason: by.reason === undefined ? undefined : printable(by.reason),
    ...factsOf(handshake),
    bytesSpared: length === undefined ? undefined : Math.max(0, length - received),
    // A client that has begun to send does not wait.
    withheld: length !== 0 && isWithheld && received === 0 ? true : undefined,
    cutOffAfter: handshake.isSettled ? received : undefined,
  }) as unknown as RefusalRecord;
}

// Properties that other code has put on a request may be of any type, or throw. The response must not fail for that.
function factsOf(handshake: Recorded, decidedAt: number = performance.now()): Record<string, unknown> {
  const timed = {
    durationMs: Math.round((decidedAt - handshake.startedAt) * 1000) / 1000,
    httpVersion: handshake.req.httpVersion,
  };
  try {
    return { ...requestFacts(handshake), ...timed };
  } catch {
    return { method: "", url: "", ...timed };
  }
}

function requestFacts({ req, length, expectations }: Recorded): Record<string, unknown> {
  const { originalUrl, baseUrl, route, id } = req as FrameworkRequest;
  const expectation = expectations.map((member) => member.raw).join(", ");
  const userAgent = req.headers["user-agent"];
  const requestId = text(id) ?? text(req.headers["x-request-id"]);
  const client = text(frameworkAddress(req)) ?? clientAddress(req);
  return {
    method: printable(req.method ?? ""),
    url: loggableUrl(text(originalUrl) ?? req.url ?? ""),
    route: typeof route?.path === "string" ? `${printable(text(baseUrl) ?? "")}${route.path}` : undefined,
    expectation: expectation === "" ? undefined : printable(expectation),
    declaredLength: length,
    client: client === undefined ? undefined : printable(client),
    userAgent: userAgent === undefined ? undefined : printable(userAgent),
    requestId: requestId === undefined ? undefined : printable(requestId),
  };
}

// Express calls the application's own `trust proxy` function, which may throw.
function frameworkAddress(req: HttpRequest): unknown {
  try {
    return (req as FrameworkRequest).ip;
  } catch {
    return undefined;
  }
}

function clientAddress(req: HttpRequest): string | undefined {
  return (req.socket as { remoteAddress?: string } | undefined)?.remoteAddress;
}

function text(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function withoutEmpty(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
