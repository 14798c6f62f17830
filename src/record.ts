import type { Handshake, RefusedWith } from "./handshake.js";
import { type Logger, loggableUrl, printable } from "./logger.js";
import type { HttpRequest } from "./message.js";

/** One refusal, as it is logged. Keys without a value are left out. */
export interface RefusalRecord {
  readonly event: "expectation.refused" | "expectation.error";
  readonly method: string;
  /** The request target without query values. */
  readonly url: string;
  /** The route's pattern, where a router matched one. */
  readonly route?: string;
  readonly status: number;
  readonly policy: string;
  readonly reason?: string;
  readonly expectation?: string;
  /** Bytes. */
  readonly declaredLength?: number;
  /** Declared bytes that had not arrived when the refusal was written. */
  readonly bytesSpared?: number;
  /** The client's address. */
  readonly client?: string;
  readonly userAgent?: string;
  /** From the request's header section to the refusal, in milliseconds. */
  readonly durationMs: number;
  readonly httpVersion: string;
  readonly requestId?: string;
}

/** What a record tells about: a request with its handshake, or one that a proxy asks about. */
export type Recorded = Pick<Handshake, "req" | "expectations" | "length" | "received" | "startedAt">;

/** Writes the one record of a refusal, at `warn`. */
export function logRefusal(logger: Logger, handshake: Recorded, by: RefusedWith): void {
  const details = recordOf("expectation.refused", handshake, by);
  logger.warn(details, `${details.method} ${details.url} refused with ${by.status} by ${details.policy}`);
}

/** Writes the one record of a fault, at `error`, with the error that caused it. */
export function logFault(logger: Logger, handshake: Recorded, by: RefusedWith, err: Error): void {
  const details = { ...recordOf("expectation.error", handshake, by), err };
  logger.error(
    details,
    `${details.method} ${details.url} refused with ${by.status}: ${printable(String(err.message))}`,
  );
}

interface FrameworkRequest {
  readonly originalUrl?: unknown;
  readonly baseUrl?: unknown;
  readonly route?: { readonly path?: unknown };
  readonly ip?: unknown;
  readonly id?: unknown;
}

function recordOf(event: RefusalRecord["event"], handshake: Recorded, by: RefusedWith): RefusalRecord {
  const { req, length } = handshake;
  const { originalUrl, baseUrl, route, ip, id } = req as FrameworkRequest;
  const expectation = handshake.expectations.map((member) => member.raw).join(", ");
  const requestId = text(id) ?? text(req.headers["x-request-id"]);
  return withoutEmpty({
    event,
    method: req.method ?? "",
    url: loggableUrl(text(originalUrl) ?? req.url ?? ""),
    route: typeof route?.path === "string" ? `${text(baseUrl) ?? ""}${route.path}` : undefined,
    status: by.status,
    policy: by.policy,
    reason: by.reason === undefined ? undefined : printable(by.reason),
    expectation: expectation === "" ? undefined : printable(expectation),
    declaredLength: length,
    bytesSpared: length === undefined ? undefined : Math.max(0, length - handshake.received),
    client: text(ip) ?? clientAddress(req),
    userAgent: req.headers["user-agent"] === undefined ? undefined : printable(req.headers["user-agent"]),
    durationMs: Math.round((performance.now() - handshake.startedAt) * 1000) / 1000,
    httpVersion: req.httpVersion,
    requestId: requestId === undefined ? undefined : printable(requestId),
  }) as unknown as RefusalRecord;
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
