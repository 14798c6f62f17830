import type { ExchangeId, ExchangeResult } from "../exchange-result.js";
import type { EndpointResult } from "../result.js";
import { isFinal } from "../summary.js";
import { fieldOf } from "../wire/header-section.js";

/** The exchanges of one endpoint that ran, by id. */
export type Exchanges = Partial<Readonly<Record<ExchangeId, ExchangeResult>>>;

/** Returns the exchanges that ran, by id. */
export function exchangesById({ exchanges }: EndpointResult): Exchanges {
  return Object.fromEntries(exchanges.filter(({ events }) => events.length > 0).map((one) => [one.id, one]));
}

/** Returns those of the given exchanges that ran. */
export function only(seen: Exchanges, ids: readonly ExchangeId[]): ExchangeResult[] {
  return ids.flatMap((id) => seen[id] ?? []);
}

/** Returns the final status of an exchange; 0 if there was none. */
export function statusOf(one: ExchangeResult | undefined): number {
  return one?.summary.status ?? 0;
}

/** Returns what the endpoint answered before content was sent, in a form that can be compared. */
export function answerOf({ summary }: ExchangeResult): string {
  if (summary.continues > 0) return summary.isEarly ? `100 ${summary.status}` : "100";
  return summary.status === undefined ? summary.verdict : String(summary.status);
}

/** Returns whether the endpoint answered with a 100 or a final status. */
export function isDecision(verdict: string): boolean {
  return verdict === "continue" || verdict === "final";
}

/** Returns whether the endpoint sent nothing while content was withheld. */
export function isUndecided({ events }: ExchangeResult): boolean {
  const wait = events.find(({ kind }) => kind === "quiet");
  return wait?.kind === "quiet" && wait.waitedFor === "a 100 or a final response";
}

/** Returns whether the final status is 2xx or 3xx. */
export function isSuccess(one: ExchangeResult): boolean {
  return statusOf(one) >= 200 && statusOf(one) < 400;
}

/** Returns the field `Server` of the final response. */
export function serverOf(one: ExchangeResult | undefined): string | undefined {
  const final = one?.events.find(isFinal);
  return final && fieldOf(final.lines, "server");
}
