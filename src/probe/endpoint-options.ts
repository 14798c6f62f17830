import type { ExchangeSpec } from "./exchanges.js";
import type { ProbeRequest } from "./request.js";

/** A callback that runs before each exchange. */
export type OnExchange = (spec: ExchangeSpec, index: number, total: number) => void;

/** What to probe at one URL. */
export interface EndpointOptions {
  readonly request: ProbeRequest;
  readonly url: URL;
  /** Whether exchanges may send content. */
  readonly sendsContent: boolean;
  /** Why content may not be sent, for the report. */
  readonly whyNot?: string;
  readonly onExchange?: OnExchange;
}
