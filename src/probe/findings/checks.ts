import type { ExchangeId, ExchangeResult } from "../exchange-result.js";
import type { FindingCode } from "../finding.js";
import type { ProbeSettings } from "../result.js";
import { CURL_WAIT_MS } from "../timing.js";
import { questionsWith } from "./answers.js";
import { answerOf, type Exchanges, isDecision, isSuccess, isUndecided, only, statusOf } from "./exchanges-by-id.js";
import { answeredWith, isEarlySuccess, isUnexpected } from "./statuses.js";

/** Returns the exchanges of one endpoint that show a problem. */
type Check = (seen: Exchanges, settings: ProbeSettings) => ExchangeResult[];

const HANDSHAKES: readonly ExchangeId[] = ["withheld", "sent", "large", "chunked", "case", "late", "h2"];
const UPLOADS: readonly ExchangeId[] = ["control", "sent", "chunked", "pushed", "late"];

/** Statuses that a server can decide on the header section alone, before it reads content. */
const DECIDED_BY_HEAD = new Set([401, 403, 404, 405, 407, 411, 412, 413, 415, 417, 428, 429, 507]);

const all = (seen: Exchanges) => Object.values(seen);

/** Checks that need the exchanges of one endpoint only. */
export const CHECKS: Partial<Readonly<Record<FindingCode, Check>>> = {
  "unexpected-status": isUnexpected,
  "not-found": answeredWith((status) => status === 404 || status === 410),
  "method-refused": answeredWith((status) => status === 405 || status === 501),
  redirected: answeredWith((status) => status >= 300 && status < 400),
  "bad-request": answeredWith((status) => status === 400),
  forbidden: answeredWith((status) => status === 403),
  "server-fails": answeredWith((status) => [500, 502, 504].includes(status)),
  "odd-status": answeredWith((status) => status >= 600),
  "early-success": isEarlySuccess,
  "blind-continue": (seen) =>
    only(seen, HANDSHAKES).filter(
      ({ summary }) => summary.continues > 0 && summary.isEarly && (summary.status ?? 0) >= 400,
    ),
  // The late client sends after one second, so it is evidence only if `withheld` did not run.
  "no-continue": (seen) =>
    only(seen, seen.withheld ? ["withheld", "large", "chunked"] : ["large", "chunked", "late"]).filter(isUndecided),
  "no-answer": (seen) =>
    only(seen, [...HANDSHAKES, "control", "pushed"]).filter(
      ({ summary }) =>
        summary.status === undefined &&
        (summary.verdict === "ended" || (summary.contentBytesSent > 0 && summary.isReset)),
    ),
  "refused-417": (seen, { expectedStatuses = [] }) =>
    only(seen, expectedStatuses.includes(417) ? [] : ["withheld", "sent"])
      .filter((one) => statusOf(one) === 417)
      .slice(0, 1),
  "kept-417": (seen) => all(seen).filter((one) => statusOf(one) === 417 && one.summary.keptOpen),
  "kept-final": (seen) => all(seen).filter((one) => statusOf(one) !== 417 && one.summary.keptOpen),
  "refusal-reset": (seen) =>
    only(seen, all(seen).some(isRefused) ? UPLOADS : []).filter(
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
    ...only(seen, ["unknown"]).filter(isIgnored),
    ...only(seen, ["list"]).filter(({ summary }) => summary.continues > 0),
  ],
  "refusal-after-body": (seen) =>
    only(seen, ["sent", "late", "chunked"]).filter(
      ({ announced, summary: { continues, contentBytesSent, status = 0 } }) =>
        continues > 0 &&
        contentBytesSent > 0 &&
        DECIDED_BY_HEAD.has(status) &&
        // The length of chunked content is unknown before it is read.
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
  "auth-required": (seen, settings) =>
    settings.hasCredentials || settings.expectedStatuses?.includes(401)
      ? []
      : [...new Set([...firstWith(seen, 401), ...answeredWith((status) => status === 401)(seen, settings)])],
  "upload-hangs": (seen) =>
    only(seen, UPLOADS).filter(({ summary, events }) => {
      const last = events.at(-1);
      return summary.contentBytesSent > 0 && summary.status === undefined && last?.kind === "quiet";
    }),
  // Firewalls that inspect the content let the client send it first, so that `withheld` may see a 100 alone.
  "waf-expect": ({ control, withheld, sent }) => {
    const refused = [withheld, sent].find((one) => statusOf(one) === 403 && one?.summary.isComplete);
    return control && refused && isSuccess(control) ? [control, refused] : [];
  },
  "expect-fails": ({ control, withheld, sent }) => {
    if (!control || !isSuccess(control)) return [];
    const failed = [withheld, sent].find((one) => one !== undefined && statusOf(one) >= 400);
    return failed ? [control, failed] : [];
  },
  "empty-refused": ({ plain, empty }) => (statusOf(empty) === 417 && statusOf(plain) !== 417 && empty ? [empty] : []),
  "case-sensitive": (seen) => {
    const { withheld, case: folded } = seen;
    if (!withheld || !folded || !isDecision(withheld.summary.verdict)) return [];
    // Other differences are chance: a 100 and a refusal may race.
    const isOther = isIgnored(folded) || statusOf(folded) === 417;
    return isOther && answerOf(withheld) !== answerOf(folded) ? [withheld, folded] : [];
  },
  "reuse-fails": (seen) => only(seen, ["sent"]).filter(({ summary }) => summary.second === "swallowed"),
  "ask-differs": (seen) => questionsWith("differs", seen),
  "ask-unanswered": (seen) => questionsWith("unanswered", seen),
  "ask-matches": (seen) => (questionsWith("differs", seen).length > 0 ? [] : questionsWith("matches", seen)),
  malformed: (seen) => all(seen).filter(({ events }) => events.some(({ kind }) => kind === "malformed")),
};

// Returns whether the server ignored the expectation: it waited for the content, or answered as if there were none.
function isIgnored(one: ExchangeResult): boolean {
  return isUndecided(one) || isSuccess(one);
}

// Without a refusal that came, none can be lost.
function isRefused(one: ExchangeResult): boolean {
  return one.announced !== "none" && one.expect !== "probe-unknown" && statusOf(one) >= 300 && statusOf(one) !== 417;
}

function firstWith(seen: Exchanges, status: number): ExchangeResult[] {
  const [plain, upload] = [
    seen.plain,
    only(seen, ["withheld", "sent", "control"]).find((one) => statusOf(one) === status),
  ];
  const one = upload ?? (plain && statusOf(plain) === status ? plain : undefined);
  return one ? [one] : [];
}
