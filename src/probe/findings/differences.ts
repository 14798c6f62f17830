import type { ExchangeId, ExchangeResult } from "../exchange-result.js";
import type { FindingCode } from "../finding.js";
import type { Identification } from "../result.js";
import { type Exchanges, isDecision, isUndecided, serverOf, statusOf } from "./exchanges-by-id.js";
import { identify } from "./fingerprint.js";

/** One exchange that differs between the URL and its origin: through the proxy, and without it. */
type Difference = readonly [target: ExchangeResult, direct: ExchangeResult];

/** Checks for differences that only a proxy between the two URLs can cause. */
export const DIFFERENCES: Partial<
  Readonly<Record<FindingCode, (target: Exchanges, direct: Exchanges) => Difference[]>>
> = {
  "proxy-continue": (target, direct) =>
    pairs(target, direct, ["withheld", "large", "chunked", "case"]).filter(
      // The proxy's own 100 and the origin's refusal race, so the 100 may come later.
      ([{ summary: through }, { summary: without }]) =>
        through.continues + through.lateContinues > 0 &&
        without.isEarly &&
        without.continues + without.lateContinues === 0,
    ),
  // The `unknown` exchange is not evidence: Apache ignores unknown expectations, but forwards 100-continue.
  "expect-stripped": (target, direct) =>
    pairs(target, direct, ["withheld"]).filter(
      ([through, without]) => isUndecided(through) && isDecision(without.summary.verdict),
    ),
  "proxy-417": (target, direct) =>
    pairs(target, direct, ["withheld"]).filter(
      ([through, without]) => statusOf(through) === 417 && statusOf(without) !== 417,
    ),
};

/**
 * Returns why a 417 seems to come from a proxy, not from the program that answers requests without `Expect`.
 *
 * @returns a reason for the finding's cause; `undefined` if nothing suggests a proxy.
 */
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

function pairs(target: Exchanges, direct: Exchanges, ids: readonly ExchangeId[]): Difference[] {
  return ids.flatMap((id) => {
    const [through, without] = [target[id], direct[id]];
    return through && without ? [[through, without] as const] : [];
  });
}

/** Programs that send the 100 themselves unless they are told otherwise, and whether they refuse unknown expectations. */
const BLIND_PROGRAMS: Readonly<Record<string, { readonly refusesUnknown: boolean }>> = {
  nginx: { refusesUnknown: false },
  OpenResty: { refusesUnknown: false },
  lighttpd: { refusesUnknown: false },
  h2o: { refusesUnknown: false },
  Varnish: { refusesUnknown: true },
};

/**
 * Returns why the 100s seem to come from a proxy that has not asked its origin.
 *
 * @returns a reason for the finding's cause; `undefined` if nothing suggests it.
 */
export function whyProxyContinue(
  { large, unknown }: Exchanges,
  identified: readonly Identification[],
): string | undefined {
  if (!large || large.summary.continues === 0 || large.summary.isEarly) return undefined;
  const hop = identified.find(({ name, confidence }) => name in BLIND_PROGRAMS && confidence !== "possible");
  if (!hop) return undefined;
  // Its origin would have refused the unknown expectation.
  if (!BLIND_PROGRAMS[hop.name]?.refusesUnknown && statusOf(unknown) === 417) return undefined;
  return `${hop.name} (${hop.because}) is known to send the 100 itself, and sent it for 10 GiB at once`;
}
