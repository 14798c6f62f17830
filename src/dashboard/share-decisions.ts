import { type Logger, safeLogger } from "../observe/logger.js";
import { requireKnownKeys } from "../support/options.js";
import { type DecisionSource, requireSource } from "./decision-source.js";
import { takePart } from "./exchange.js";

/** Options of {@link shareDecisions}. */
export interface ShareOptions {
  /** Receives errors of the source, at level `error`. Default: one line of JSON each, on standard error. */
  logger?: Logger;
}

/**
 * Publishes the decisions of this process for the dashboards of others, in a process that has no dashboard.
 *
 * At most five texts a second with 500 decisions each. Decisions beyond that, and those of a time in which the source
 * fails, are left out and counted.
 *
 * @param source - a source of decisions. Use the same object for all of this process.
 * @returns ends it.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if `source` is not a source, or for a wrong option.
 * @example const stop = shareDecisions(fromWorkers(process));
 */
export function shareDecisions(source: DecisionSource, options: ShareOptions = {}): () => void {
  requireSource("shareDecisions(source)", source);
  requireKnownKeys("shareDecisions", options, ["logger"]);
  return takePart(source, safeLogger(options.logger));
}
