import type { ExchangeResult } from "../exchange-result.js";
import type { Identification } from "../result.js";
import { type Response, TRAITS } from "./traits.js";

const RANK: Readonly<Record<Identification["confidence"], number>> = { stated: 0, likely: 1, possible: 2 };

/** Returns the programs that answered in these exchanges, each with its most certain trait. */
export function identify(exchanges: readonly ExchangeResult[]): Identification[] {
  const found = new Map<string, Identification>();
  for (const response of exchanges.flatMap(responsesOf)) {
    for (const { name, role, confidence, match } of TRAITS) {
      const because = match(response);
      const known = found.get(name);
      if (because === undefined || (known && RANK[known.confidence] <= RANK[confidence])) continue;
      found.set(name, { name, role, confidence, because });
    }
  }
  return [...found.values()].sort((a, b) => RANK[a.confidence] - RANK[b.confidence]);
}

function responsesOf({ events }: ExchangeResult): Response[] {
  return events.flatMap((event, index) => {
    if (event.kind !== "received") return [];
    const complete = events.slice(index).find(({ kind }) => kind === "complete");
    return [{ status: event.status, lines: event.lines, sample: complete?.kind === "complete" ? complete.sample : "" }];
  });
}
