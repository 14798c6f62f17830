import { connect, TunnelRefused } from "./connect.js";
import { Connection } from "./connection.js";
import { EXCHANGES, type ExchangeSpec, LARGE_BYTES } from "./exchanges.js";
import { ProbeFault } from "./fault.js";
import { identify } from "./fingerprint.js";
import { playHttp2 } from "./h2.js";
import { longestMs, play, type Score } from "./play.js";
import { framed, headOf, type ProbeRequest, type RequestShape, secretsOf } from "./request.js";
import type { EndpointResult, ExchangeResult, Unreachable, WireEvent } from "./result.js";
import { Shown, shownUrl } from "./shown.js";
import { summaryOf } from "./summary.js";
import { GIVEN_UP_MS } from "./timing.js";

/** Called before each exchange. */
export type OnExchange = (spec: ExchangeSpec, index: number, total: number) => void;

export interface EndpointOptions {
  readonly request: ProbeRequest;
  readonly url: URL;
  /** Whether exchanges may send content; `why` it may not is in the report. */
  readonly sendsContent: boolean;
  readonly whyNot?: string;
  readonly onExchange?: OnExchange;
}

/** Runs all exchanges at one URL, one after another. */
export async function probeEndpoint(options: EndpointOptions): Promise<EndpointResult> {
  const shown = new Shown(secretsOf(options.request));
  const exchanges: ExchangeResult[] = [];
  const chosen = EXCHANGES.filter(({ id }) => options.request.only?.has(id) ?? true);
  let unreachable: Unreachable | undefined;
  for (const [index, spec] of chosen.entries()) {
    const skipped = whySkipped(spec, options, exchanges);
    if (skipped !== undefined) {
      exchanges.push(resultOf(spec, options, [], 0, skipped));
      continue;
    }
    options.onExchange?.(spec, index, chosen.length);
    try {
      const result = await exchange(spec, options, exchanges, shown);
      exchanges.push(result);
      unreachable = exchanges.length === 1 ? whyUseless(result) : undefined;
    } catch (error) {
      if (!(error instanceof ProbeFault)) throw error;
      if (error instanceof TunnelRefused) exchanges.push(refusedTunnel(spec, options, error, shown));
      // A proxy that asks for credentials is a finding: it can be reached.
      if (error instanceof TunnelRefused && error.status === 407) break;
      // A forward proxy may send back what it was told.
      unreachable = { code: error.code, message: shown.text(error.message) };
    }
    if (unreachable) break;
  }
  return {
    url: shownUrl(options.url),
    exchanges,
    identified: identify(exchanges),
    ...(unreachable && { unreachable }),
  };
}

function whySkipped(
  spec: ExchangeSpec,
  options: EndpointOptions,
  before: readonly ExchangeResult[],
): string | undefined {
  if (spec.sendsContent === "always" && !options.sendsContent) return options.whyNot ?? "content is not sent";
  if (spec.isHttp2 && options.url.protocol !== "https:") return "HTTP/2 is negotiated on TLS alone";
  if (spec.id === "sent" && before.some(isSilent)) return "no 100 came; the late client shows what follows";
  return undefined;
}

async function exchange(
  spec: ExchangeSpec,
  options: EndpointOptions,
  before: readonly ExchangeResult[],
  shown: Shown,
): Promise<ExchangeResult> {
  const { request, url } = options;
  const score = scoreOf(spec, options, before);
  const socket = await connect(request, url, spec.isHttp2 ? ["h2", "http/1.1"] : ["http/1.1"]);
  if (spec.isHttp2) {
    if ((socket as { alpnProtocol?: unknown }).alpnProtocol !== "h2") {
      socket.destroy();
      return resultOf(spec, options, [], 0, "the server does not offer HTTP/2");
    }
    return resultOf(spec, options, await playHttp2(socket, request, url, score, shown), longestMs(score));
  }
  const connection = new Connection(socket, shown);
  try {
    await play(connection, score);
  } finally {
    connection.close();
  }
  return resultOf(spec, options, connection.journal.events, longestMs(score));
}

function scoreOf(spec: ExchangeSpec, options: EndpointOptions, before: readonly ExchangeResult[]): Score {
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

// Where silence may be right, or is known, it is not waited out; but for longer than the endpoint takes to decide.
function verdictMsOf(spec: ExchangeSpec, request: ProbeRequest, before: readonly ExchangeResult[]): number {
  if (spec.expect?.toLowerCase() === "100-continue" && !before.some(isSilent)) return request.timeoutMs;
  const slowest = Math.max(0, ...before.map(({ summary }) => summary.verdictMs ?? 0));
  return Math.min(GIVEN_UP_MS + 2 * slowest, request.timeoutMs);
}

function shapeOf(spec: ExchangeSpec, request: ProbeRequest): RequestShape {
  return {
    method: spec.play === "ask" ? "GET" : request.method,
    version: spec.version ?? "1.1",
    expect: spec.expect,
    announced: announcedBy(spec, request),
  };
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

function resultOf(
  spec: ExchangeSpec,
  { request }: EndpointOptions,
  events: readonly WireEvent[],
  waitsMs: number,
  skipped?: string,
): ExchangeResult {
  const { method, announced } = shapeOf(spec, request);
  const protocol = spec.isHttp2 ? "HTTP/2" : spec.version === "1.0" ? "HTTP/1.0" : "HTTP/1.1";
  return {
    id: spec.id,
    title: spec.title,
    ...(skipped !== undefined && { skipped }),
    protocol,
    method,
    ...(spec.expect !== undefined && { expect: spec.expect }),
    announced,
    timeoutMs: skipped === undefined ? waitsMs + request.timeoutMs : 0,
    events,
    summary: summaryOf(events, { announced, protocol }),
  };
}

/** The handshake got no verdict: later ones are not waited for as long. */
function isSilent({ id, skipped, summary }: ExchangeResult): boolean {
  return id === "withheld" && skipped === undefined && summary.verdict === "none";
}

// Where even the first request gets no HTTP response, the others would say nothing new.
function whyUseless({ id, events, summary }: ExchangeResult): Unreachable | undefined {
  if (id !== "plain" || summary.status !== undefined) return undefined;
  const malformed = events.find((event) => event.kind === "malformed");
  if (malformed) {
    const bytes = malformed.sample === "" ? "" : `; it begins with: ${malformed.sample.slice(0, 60)}`;
    return { code: "malformed", message: `the answer is no HTTP response: ${malformed.reason}${bytes}` };
  }
  const quiet = events.find((event) => event.kind === "quiet");
  if (quiet)
    return { code: "silent", message: `the server accepts the connection and says nothing for ${quiet.ms} ms` };
  return { code: "closed", message: "the server closes the connection without a response" };
}

function refusedTunnel(
  spec: ExchangeSpec,
  options: EndpointOptions,
  refused: TunnelRefused,
  shown: Shown,
): ExchangeResult {
  const lines = shown.lines(refused.section);
  return resultOf(spec, options, [{ kind: "received", atMs: 0, status: refused.status, lines }], 0);
}
