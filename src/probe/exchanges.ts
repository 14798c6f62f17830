import type { ExchangeId } from "./exchange-result.js";

/**
 * What the probe does once the connection stands:
 *
 * - `ask`: head, final response
 * - `withhold`: head, verdict; never content; a second request where a refusal left the connection open
 * - `handshake`: head, verdict, content after the 100, final response, a second request
 * - `push`: head and content at once, final response
 * - `late`: head, a wait as long as curl's, content, final response
 * - `refrain`: head, a short wait in which nothing should come, content, final response
 */
type Flow = "ask" | "withhold" | "handshake" | "push" | "late" | "refrain";

/** One exchange: a valid request, or one with a single well-known variation. */
export interface ExchangeSpec {
  readonly id: ExchangeId;
  readonly title: string;
  readonly flow: Flow;
  /** The value of `Expect`. */
  readonly expect?: string;
  readonly content: "none" | "length" | "large" | "pushed" | "chunked";
  readonly version?: "1.0";
  /** `always`: it is about sent content; `afterContinue`: without consent, the content is withheld. */
  readonly sendsContent?: "always" | "afterContinue";
  readonly isHttp2?: true;
}

const CONTINUE = "100-continue";

/** Announced by the exchange that never sends it: more than any body limit. */
export const LARGE_BYTES: number = 10 * 2 ** 30;

/** An expectation that nobody defines. */
const UNKNOWN_EXPECTATION = "probe-unknown";

/** In the order in which they run, one after another. */
export const EXCHANGES: readonly ExchangeSpec[] = [
  { id: "plain", title: "GET without Expect", flow: "ask", content: "none" },
  { id: "control", title: "upload without Expect", flow: "push", content: "length", sendsContent: "always" },
  {
    id: "withheld",
    title: "Expect: 100-continue, content withheld",
    flow: "withhold",
    expect: CONTINUE,
    content: "length",
  },
  {
    id: "sent",
    title: "Expect: 100-continue, content sent after the 100",
    flow: "handshake",
    expect: CONTINUE,
    content: "length",
    sendsContent: "always",
  },
  { id: "large", title: "10 GiB announced, content withheld", flow: "withhold", expect: CONTINUE, content: "large" },
  {
    id: "chunked",
    title: "Expect: 100-continue, chunked",
    flow: "handshake",
    expect: CONTINUE,
    content: "chunked",
    sendsContent: "afterContinue",
  },
  { id: "unknown", title: "an unknown expectation", flow: "withhold", expect: UNKNOWN_EXPECTATION, content: "length" },
  {
    id: "list",
    title: "100-continue and an unknown expectation",
    flow: "withhold",
    expect: `${CONTINUE}, ${UNKNOWN_EXPECTATION}`,
    content: "length",
  },
  { id: "empty", title: "GET with an empty Expect", flow: "ask", expect: "", content: "none" },
  { id: "case", title: "Expect: 100-CONTINUE", flow: "withhold", expect: "100-CONTINUE", content: "length" },
  { id: "near-space", title: "Expect: y 100-continue", flow: "withhold", expect: `y ${CONTINUE}`, content: "length" },
  {
    id: "near-parameter",
    title: "Expect: 100-continue;q=1",
    flow: "withhold",
    expect: `${CONTINUE};q=1`,
    content: "length",
  },
  {
    id: "http10",
    title: "HTTP/1.0 with Expect: 100-continue",
    flow: "refrain",
    expect: CONTINUE,
    content: "length",
    version: "1.0",
    sendsContent: "afterContinue",
  },
  { id: "no-content", title: "GET with Expect: 100-continue", flow: "ask", expect: CONTINUE, content: "none" },
  {
    id: "pushed",
    title: "Expect: 100-continue, content pushed at once",
    flow: "push",
    expect: CONTINUE,
    content: "pushed",
    sendsContent: "always",
  },
  {
    id: "late",
    title: "Expect: 100-continue, content after one second",
    flow: "late",
    expect: CONTINUE,
    content: "length",
    sendsContent: "always",
  },
  {
    id: "h2",
    title: "HTTP/2, Expect: 100-continue",
    flow: "handshake",
    expect: CONTINUE,
    content: "length",
    sendsContent: "afterContinue",
    isHttp2: true,
  },
];
