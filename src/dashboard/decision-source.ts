import { optionError } from "../support/errors.js";

/**
 * Carries decisions between processes. {@link fromWorkers} and {@link fromRedis} make one; any object with these two
 * methods will do.
 *
 * It carries clients' addresses and user agents, so others must not be able to read it.
 */
export interface DecisionSource {
  /**
   * Sends a text to all other processes. It may return a promise. While that is pending, nothing more is sent.
   *
   * @throws when it cannot. The decisions in the text are then counted as left out.
   */
  publish(text: string): unknown;
  /**
   * Calls `onText` with each text that another process has published.
   *
   * @param onError - is told when texts do not arrive for the moment.
   * @returns ends it.
   */
  subscribe(onText: (text: string) => void, onError: (error: Error) => void): () => void;
}

/** @throws {ExpectationError} `ERR_EXPECT_OPTION` if `source` is not a source. */
export function requireSource(option: string, source: unknown): void {
  const { publish, subscribe } = Object(source) as Partial<DecisionSource>;
  if (typeof publish === "function" && typeof subscribe === "function") return;
  throw optionError(
    option,
    source,
    "a source of decisions: fromWorkers(process), fromRedis({ … }), or one of your own",
  );
}
