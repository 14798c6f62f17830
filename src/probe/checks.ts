import { identify } from "./fingerprint.js";
import { fieldOf } from "./response-parser.js";
import type { EndpointResult, ExchangeId, ExchangeResult, FindingCode, ProbeSettings, WireEvent } from "./result.js";
import { CURL_WAIT_MS } from "./timing.js";

/** The exchanges of one endpoint that ran, by name. */
export type Seen = Partial<Readonly<Record<ExchangeId, ExchangeResult>>>;

/** What checks look at. */
export interface View {
  readonly target: Seen;
  /** The same without the proxy. */
  readonly direct: Seen | undefined;
  readonly settings: ProbeSettings;
}

/** Tells from the exchanges of one endpoint which of them show the trouble; none where there is none. */
export type Check = (seen: Seen, settings: ProbeSettings) => ExchangeResult[];

export function seenOf({ exchanges }: EndpointResult): Seen {
  return Object.fromEntries(exchanges.filter(({ events }) => events.length > 0).map((one) => [one.id, one]));
}

const HANDSHAKES: readonly ExchangeId[] = ["withheld", "sent", "large", "chunked", "case", "late", "h2"];
const UPLOADS: readonly ExchangeId[] = ["control", "sent", "chunked", "pushed", "late"];

/** Statuses that the header section alone decides, so that nobody need send content to get them. */
const DECIDED_BY_HEAD = new Set([401, 403, 404, 405, 407, 411, 412, 413, 415, 417, 428, 429, 507]);

const all = (seen: Seen) => Object.values(seen);
const only = (seen: Seen, ids: readonly ExchangeId[]) => ids.flatMap((id) => seen[id] ?? []);
const statusOf = (one: ExchangeResult | undefined) => one?.summary.status ?? 0;

/** Checks that one endpoint's exchanges are enough for. */
export const CHECKS: Partial<Readonly<Record<FindingCode, Check>>> = {
  "blind-continue": (seen) =>
    only(seen, HANDSHAKES).filter(
      ({ summary }) => summary.continues > 0 && summary.isEarly && (summary.status ?? 0) >= 400,
    ),
  // The late client sends after a second, whether or not the verdict would have come: it counts for nothing but itself.
  "no-continue": (seen) =>
    only(seen, seen.withheld ? ["withheld", "large", "chunked"] : ["large", "chunked", "late"]).filter(isUndecided),
  "no-answer": (seen) =>
    only(seen, [...HANDSHAKES, "control", "pushed"]).filter(
      ({ summary }) =>
        summary.status === undefined &&
        (summary.verdict === "ended" || (summary.contentBytesSent > 0 && summary.isReset)),
    ),
  "refused-417": (seen) =>
    only(seen, ["withheld", "sent"])
      .filter((one) => statusOf(one) === 417)
      .slice(0, 1),
  "kept-417": (seen) => all(seen).filter((one) => statusOf(one) === 417 && one.summary.keptOpen),
  "kept-final": (seen) => all(seen).filter((one) => statusOf(one) !== 417 && one.summary.keptOpen),
  "refusal-reset": (seen) =>
    only(seen, UPLOADS).filter(
      ({ summary }) =>
        summary.contentBytesSent > 0 && summary.isReset && (!summary.isComplete || (summary.status ?? 0) >= 300),
    ),
  "continue-to-http10": (seen) => only(seen, ["http10"]).filter(({ summary }) => summary.continues > 0),
  "double-continue": (seen) => all(seen).filter(({ summary }) => summary.continues > 1),
  "continue-after-final": (seen) => all(seen).filter(({ summary }) => summary.lateContinues > 0),
  "near-miss-accepted": (seen) =>
    only(seen, ["near-space", "near-parameter"]).filter(({ summary }) => summary.continues > 0),
  "unknown-accepted": (seen) => only(seen, ["unknown"]).filter(({ summary }) => summary.continues > 0),
  "unknown-ignored": (seen) => [
    ...only(seen, ["unknown"]).filter(isTaken),
    ...only(seen, ["list"]).filter(({ summary }) => summary.continues > 0),
  ],
  "refusal-after-body": (seen) =>
    only(seen, ["sent", "late", "chunked"]).filter(
      ({ announced, summary: { continues, contentBytesSent, status = 0 } }) =>
        continues > 0 &&
        contentBytesSent > 0 &&
        DECIDED_BY_HEAD.has(status) &&
        // Nobody knows how long it will be.
        !(announced === "chunked" && status === 413),
    ),
  "slow-handshake": (seen) =>
    only(seen, ["withheld"]).filter(
      ({ summary }) => isDecision(summary.verdict) && (summary.verdictMs ?? 0) >= CURL_WAIT_MS,
    ),
  "h2-differs": ({ h2, withheld }) => (h2 && withheld && answerOf(h2) !== answerOf(withheld) ? [withheld, h2] : []),
  "proxy-auth": (seen, settings) => (settings.hasProxyCredentials ? [] : firstWith(seen, 407)),
  "auth-loop": (seen, settings) => [
    ...(settings.hasProxyCredentials ? firstWith(seen, 407) : []),
    ...(settings.hasCredentials ? firstWith(seen, 401) : []),
  ],
  "auth-required": (seen, settings) => (settings.hasCredentials ? [] : firstWith(seen, 401)),
  "upload-hangs": (seen) =>
    only(seen, UPLOADS).filter(({ summary, events }) => {
      const last = events.at(-1);
      return summary.contentBytesSent > 0 && summary.status === undefined && last?.kind === "quiet";
    }),
  "expect-fails": ({ control, withheld, sent }) => {
    if (!control || !isSuccess(control)) return [];
    const failed = [withheld, sent].find((one) => one !== undefined && statusOf(one) >= 400);
    return failed ? [control, failed] : [];
  },
  "empty-refused": ({ plain, empty }) => (statusOf(empty) === 417 && statusOf(plain) !== 417 && empty ? [empty] : []),
  "case-sensitive": (seen) => {
    const { withheld, case: folded } = seen;
    if (!withheld || !folded || !isDecision(withheld.summary.verdict)) return [];
    // Passed over or unknown, that is; the order of a 100 and a refusal that race differs from time to time.
    const isOther = isTaken(folded) || statusOf(folded) === 417;
    return isOther && answerOf(withheld) !== answerOf(folded) ? [withheld, folded] : [];
  },
  "reuse-fails": (seen) => only(seen, ["sent"]).filter(({ summary }) => summary.second === "swallowed"),
  malformed: (seen) => all(seen).filter(({ events }) => events.some(({ kind }) => kind === "malformed")),
};

/** The exchanges in which the URL and its origin differ, as pairs: through the proxy, and without it. */
export type Difference = readonly [target: ExchangeResult, direct: ExchangeResult];

/** Differences that only a proxy between the two can make. */
export const DIFFERENCES: Partial<Readonly<Record<FindingCode, (target: Seen, direct: Seen) => Difference[]>>> = {
  "proxy-continue": (target, direct) =>
    pairs(target, direct, ["withheld", "large", "chunked", "case"]).filter(
      // A 100 of the proxy's own may race with the origin's refusal, and lose.
      ([{ summary: through }, { summary: without }]) =>
        through.continues + through.lateContinues > 0 &&
        without.isEarly &&
        without.continues + without.lateContinues === 0,
    ),
  // An unknown expectation says nothing about this one: Apache passes over the former and passes on the latter.
  "expect-stripped": (target, direct) =>
    pairs(target, direct, ["withheld"]).filter(
      ([through, without]) => isUndecided(through) && isDecision(without.summary.verdict),
    ),
  "proxy-417": (target, direct) =>
    pairs(target, direct, ["withheld"]).filter(
      ([through, without]) => statusOf(through) === 417 && statusOf(without) !== 417,
    ),
};

/** A 417 that somebody else wrote than who answers without `Expect`; why it looks so. */
export function foreign417({ plain, withheld }: Seen): string | undefined {
  if (!plain || !withheld || statusOf(withheld) !== 417) return undefined;
  const [program] = identify([withheld]).filter(({ role }) => role === "proxy");
  const usual = serverOf(plain);
  const refuser = serverOf(withheld);
  if (refuser !== usual && refuser !== undefined) {
    return `the 417 says "Server: ${refuser}", an answer without Expect says ${usual === undefined ? "none" : `"${usual}"`}`;
  }
  return program && `the 417 is written by ${program.name} (${program.because})`;
}

function serverOf({ events }: ExchangeResult): string | undefined {
  const final = events.find((event): event is Extract<WireEvent, { kind: "received" }> => event.kind === "received");
  return final && fieldOf(final.lines, "server");
}

function pairs(target: Seen, direct: Seen, ids: readonly ExchangeId[]): Difference[] {
  return ids.flatMap((id) => {
    const [through, without] = [target[id], direct[id]];
    return through && without ? [[through, without] as const] : [];
  });
}

/** What the endpoint answered before content was sent, to compare. */
function answerOf({ summary }: ExchangeResult): string {
  if (summary.continues > 0) return summary.isEarly ? `100 ${summary.status}` : "100";
  return summary.status === undefined ? summary.verdict : String(summary.status);
}

function isDecision(verdict: string): boolean {
  return verdict === "continue" || verdict === "final";
}

/** Nothing came while content was withheld. */
function isUndecided({ events }: ExchangeResult): boolean {
  const wait = events.find(({ kind }) => kind === "quiet");
  return wait?.kind === "quiet" && wait.waitedFor === "a 100 or a final response";
}

// Neither refused nor told to go on: waited for the content, or answered as if nothing had been asked.
function isTaken(one: ExchangeResult): boolean {
  return isUndecided(one) || isSuccess(one);
}

function isSuccess(one: ExchangeResult): boolean {
  return statusOf(one) >= 200 && statusOf(one) < 400;
}

function firstWith(seen: Seen, status: number): ExchangeResult[] {
  const [plain, upload] = [
    seen.plain,
    only(seen, ["withheld", "sent", "control"]).find((one) => statusOf(one) === status),
  ];
  const one = upload ?? (plain && statusOf(plain) === status ? plain : undefined);
  return one ? [one] : [];
}
