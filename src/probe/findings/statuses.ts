import type { ExchangeId, ExchangeResult } from "../exchange-result.js";
import type { FindingCode } from "../finding.js";
import type { ProbeSettings } from "../result.js";
import { isFinal } from "../summary.js";
import { fieldOf } from "../wire/header-section.js";
import { type Exchanges, isSuccess, only, serverOf, statusOf } from "./exchanges-by-id.js";

/** Plain uploads, in the order of what they tell about the request itself. */
const UPLOADS: readonly ExchangeId[] = ["withheld", "sent", "control", "chunked", "large", "case", "late", "pushed"];

/** Returns a check for uploads with a status that asks whether the request is the right one. */
export function answeredWith(isIt: (status: number) => boolean) {
  return (seen: Exchanges, { expectedStatuses = [] }: ProbeSettings): ExchangeResult[] => {
    // If uploads work without `Expect`, the request is the right one, and another finding tells what is wrong.
    if (seen.control && isSuccess(seen.control) && statusOf(seen.control) < 300) return [];
    const isMeant = (one: ExchangeResult) => expectedStatuses.includes(statusOf(one));
    const isOne = (one: ExchangeResult) => isIt(statusOf(one)) && !isMeant(one);
    // A limit that only 10 GiB exceed says nothing about the request.
    return only(seen, ["withheld", "sent", "control"]).some(isOne) ? only(seen, UPLOADS).filter(isOne) : [];
  };
}

/** Returns the uploads that got a success although their content was withheld. */
export function isEarlySuccess(seen: Exchanges, { expectedStatuses = [] }: ProbeSettings): ExchangeResult[] {
  return only(seen, ["withheld", "large", "chunked"]).filter(({ summary }) => {
    const { status = 0, isEarly, contentBytesSent } = summary;
    return isEarly && contentBytesSent === 0 && status >= 200 && status < 300 && !expectedStatuses.includes(status);
  });
}

/** Returns the uploads with another status than the one that is meant. */
export function isUnexpected(seen: Exchanges, { expectedStatuses = [] }: ProbeSettings): ExchangeResult[] {
  if (expectedStatuses.length === 0) return [];
  const [upload] = only(seen, ["control", "sent", "withheld"]).filter((one) => statusOf(one) > 0);
  return upload && !expectedStatuses.includes(statusOf(upload)) ? [upload] : [];
}

/** The field that says more about a status. */
const TELLING: Partial<Readonly<Record<FindingCode, string>>> = {
  "method-refused": "allow",
  redirected: "location",
  "auth-required": "www-authenticate",
  "auth-loop": "www-authenticate",
  "proxy-auth": "proxy-authenticate",
};

/** Returns what a field of the response adds to the cause of a finding, as a sentence. */
export function toldBy(code: FindingCode, [one, other]: readonly ExchangeResult[]): string {
  const malformed = one?.events.find((event) => event.kind === "malformed");
  if (code === "malformed" && malformed) return ` What came: ${malformed.reason}.`;
  if (code === "waf-expect") return tellsOfFirewall(one, other);
  const name = TELLING[code];
  const final = one?.events.find(isFinal);
  const value = name && final && fieldOf(final.lines, name);
  return value ? ` The response says: ${name}: ${value}.` : "";
}

// What the page of a refusal gives away: who wrote it, and what it calls itself.
function tellsOfFirewall(passed: ExchangeResult | undefined, refused: ExchangeResult | undefined): string {
  const [usual, refuser] = [serverOf(passed), serverOf(refused)];
  const other =
    refuser !== undefined && refuser !== usual
      ? ` The 403 says "Server: ${refuser}", the response without Expect says ${usual === undefined ? "none" : `"${usual}"`}.`
      : "";
  const complete = refused?.events.find((event) => event.kind === "complete");
  const title = /<title>\s*([^<]{1,80}?)\s*<\/title>/i.exec(complete?.sample ?? "")?.[1];
  return `${other}${title === undefined ? "" : ` Its page has the title "${title}".`}`;
}
