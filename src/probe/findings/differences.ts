import type { ExchangeId, ExchangeResult, WireEvent } from "../exchange-result.js";
import type { FindingCode } from "../finding.js";
import { fieldOf } from "../wire/header-section.js";
import { type Exchanges, isDecision, isUndecided, statusOf } from "./exchanges-by-id.js";
import { identify } from "./fingerprint.js";

/** The exchanges in which the URL and its origin differ, as pairs: through the proxy, and without it. */
type Difference = readonly [target: ExchangeResult, direct: ExchangeResult];

/** Differences that only a proxy between the two can make. */
export const DIFFERENCES: Partial<
  Readonly<Record<FindingCode, (target: Exchanges, direct: Exchanges) => Difference[]>>
> = {
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
export function whyProxy417({ plain, withheld }: Exchanges): string | undefined {
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

function pairs(target: Exchanges, direct: Exchanges, ids: readonly ExchangeId[]): Difference[] {
  return ids.flatMap((id) => {
    const [through, without] = [target[id], direct[id]];
    return through && without ? [[through, without] as const] : [];
  });
}
