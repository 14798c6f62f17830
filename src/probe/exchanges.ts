import type { ExchangeId } from "./exchange-result.js";

/**
 * The steps of an exchange on an open connection:
 *
 * - `ask`: sends the header section, waits for the final response.
 * - `withhold`: waits for the verdict and never sends content. If a refusal leaves the connection open, it sends a
 *   second request.
 * - `handshake`: waits for the verdict, sends the content after the 100, waits for the final response, sends a second
 *   request.
 * - `push`: sends the content at once, waits for the final response.
 * - `late`: waits as long as curl does, sends the content, waits for the final response.
 * - `refrain`: waits for a short time in which nothing should come, sends the content, waits for the final response.
 */
type Flow = "ask" | "withhold" | "handshake" | "push" | "late" | "refrain";

/** The description of an exchange: a valid request, or one with a single known variation. */
export interface ExchangeSpec {
  readonly id: ExchangeId;
  readonly title: string;
  readonly flow: Flow;
  /** The value of `Expect`. */
  readonly expect?: string;
  readonly content: "none" | "length" | "large" | "pushed" | "chunked";
  readonly version?: "1.0";
  /** `always`: needs consent to send content; `afterContinue`: without consent, it withholds the content. */
  readonly sendsContent?: "always" | "afterContinue";
  readonly isHttp2?: true;
  /** `OPTIONS` with the length of such an upload in `Upload-Length`, as `preflight` answers it. Runs with `--ask` alone. */
  readonly question?: "length" | "large";
}

const CONTINUE = "100-continue";

/** The length that the exchange `large` announces and never sends. It exceeds usual body limits. */
export const LARGE_BYTES: number = 10 * 2 ** 30;

/** An expectation that no specification defines. */
const UNKNOWN_EXPECTATION = "probe-unknown";

/** All exchanges, in the order in which they run. */
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
  { id: "asked", title: "OPTIONS with Upload-Length", flow: "ask", content: "none", question: "length" },
  { id: "asked-large", title: "OPTIONS with Upload-Length: 10 GiB", flow: "ask", content: "none", question: "large" },
];
