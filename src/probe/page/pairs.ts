import type { ExchangeResult } from "../exchange-result.js";
import type { ProbeResult } from "../result.js";

/** One exchange at the URL, and the same exchange at the URL of `--via`, if given. */
export interface ExchangePair {
  readonly target: ExchangeResult;
  readonly direct: ExchangeResult | undefined;
}

/** Returns the exchanges of a result as pairs. */
export function pairsOf({ target, direct }: ProbeResult): ExchangePair[] {
  return target.exchanges.map((one) => ({
    target: one,
    direct: direct?.exchanges.find(({ id }) => id === one.id),
  }));
}

/** Returns whether an exchange ran. */
export function ran(one: ExchangeResult | undefined): one is ExchangeResult {
  return one !== undefined && one.events.length > 0;
}
