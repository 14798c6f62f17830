/**
 * The types of what the command line prints as JSON, for programs that read it.
 *
 * JSON Schemas stand beside them: `express-expectations/schema/probe-result.json` describes `probe --json`, and
 * `express-expectations/schema/report-summary.json` describes `report --json` and the dashboard's `summary.json`.
 */
export type { ExchangeId, ExchangeResult, Summary as ExchangeSummary, WireEvent } from "../probe/exchange-result.js";
export type { Evidence, Finding, FindingCode, Fix, Scenario } from "../probe/finding.js";
export type {
  EndpointResult,
  Identification,
  ProbeResult,
  ProbeSettings,
  Unreachable,
  Verdict,
} from "../probe/result.js";
export type {
  Bucket,
  PlaceRow,
  Quantiles,
  Question,
  Row,
  Rows,
  SpaceRow,
  Spared,
  Summary,
  Suspect,
} from "../report/summary.js";
