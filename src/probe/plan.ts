import type { EndpointOptions } from "./endpoint-options.js";
import type { ExchangeResult } from "./exchange-result.js";
import { type ExchangeSpec, LARGE_BYTES } from "./exchanges.js";
import type { ProbeRequest } from "./request.js";
import { framed, headOf, type RequestShape } from "./request-head.js";
import { isSilent } from "./skip.js";
import { CURL_WAIT_MS, GIVEN_UP_MS, LONG_WATCH_MS, PAGE_MS, SECOND_MS, WATCH_MS } from "./timing.js";

/** The bytes that one exchange sends, and how long it waits. */
export interface ExchangePlan {
  readonly spec: ExchangeSpec;
  readonly head: string;
  /** The header section of the second request, which is a harmless GET. */
  readonly secondHead: string;
  /** Content with its framing; `undefined` if none may be sent. */
  readonly content: Buffer | undefined;
  readonly verdictMs: number;
  readonly finalMs: number;
}

/** Returns the plan of an exchange, given the results of those before it. */
export function planOf(spec: ExchangeSpec, options: EndpointOptions, before: readonly ExchangeResult[]): ExchangePlan {
  const { request, url, sendsContent } = options;
  const shape = shapeOf(spec, request);
  const second: RequestShape = { method: "GET", version: "1.1", expect: undefined, announced: "none" };
  const content = spec.content === "pushed" ? request.pushedContent : request.content;
  return {
    spec,
    head: headOf(request, url, shape),
    secondHead: headOf(request, url, second),
    content: spec.sendsContent && sendsContent ? framed(content, shape.announced) : undefined,
    verdictMs: verdictMsOf(spec, request, before),
    finalMs: request.timeoutMs,
  };
}

// Silence is not waited out if it may be right, or if the endpoint was silent before. The wait is still longer than the
// endpoint has taken to decide.
function verdictMsOf(spec: ExchangeSpec, request: ProbeRequest, before: readonly ExchangeResult[]): number {
  if (spec.expect?.toLowerCase() === "100-continue" && !before.some(isSilent)) return request.timeoutMs;
  const slowest = Math.max(0, ...before.map(({ summary }) => summary.verdictMs ?? 0));
  return Math.min(GIVEN_UP_MS + 2 * slowest, request.timeoutMs);
}

/** Returns how the request of an exchange differs from the others. */
export function shapeOf(spec: ExchangeSpec, request: ProbeRequest): RequestShape {
  return {
    method: methodOf(spec, request),
    version: spec.version ?? "1.1",
    expect: spec.expect,
    announced: announcedBy(spec, request),
    asksAbout: spec.question && (spec.question === "large" ? LARGE_BYTES : request.content.length),
  };
}

function methodOf({ flow, question }: ExchangeSpec, request: ProbeRequest): string {
  if (question !== undefined) return "OPTIONS";
  return flow === "ask" ? "GET" : request.method;
}

function announcedBy(spec: ExchangeSpec, request: ProbeRequest): RequestShape["announced"] {
  switch (spec.content) {
    case "none":
      return "none";
    case "chunked":
      return "chunked";
    case "length":
      return request.content.length;
    case "pushed":
      return request.pushedContent.length;
    case "large":
      return LARGE_BYTES;
  }
}

/** Returns the most time that the waits of an exchange can take together. */
export function longestMs({ spec, content, verdictMs, finalMs }: Omit<ExchangePlan, "head" | "secondHead">): number {
  const final = finalMs + PAGE_MS;
  switch (spec.flow) {
    case "ask":
    case "push":
      return final + WATCH_MS;
    case "withhold":
      return verdictMs + PAGE_MS + LONG_WATCH_MS + SECOND_MS;
    case "handshake":
      return verdictMs + (content ? 2 * final : PAGE_MS) + WATCH_MS;
    case "late":
      return CURL_WAIT_MS + final + WATCH_MS;
    case "refrain":
      return WATCH_MS + final + WATCH_MS;
  }
}
