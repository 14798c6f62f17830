import type { PreparedLogger } from "../observe/logger.js";
import { ExpectationError } from "../support/errors.js";
import type { AttachableServer } from "./options.js";

type Listener = (...args: unknown[]) => void;

/** The events that keep Node from answering `Expect` by itself, as long as somebody listens for them. */
const EVENTS = ["checkContinue", "checkExpectation"] as const;

/**
 * Sets aside listeners of {@link EVENTS}: with two of them the application would run twice.
 *
 * @returns puts them back.
 * @throws {ExpectationError} `ERR_EXPECT_LISTENERS` if there are some, and `replaceListeners` is false.
 */
export function freeEvents(server: AttachableServer, replaceListeners: boolean): (() => void) | undefined {
  const taken = EVENTS.filter((event) => server.listenerCount(event) > 0);
  if (taken.length === 0) return undefined;
  if (!replaceListeners) throw listenersError(taken);
  const setAside = taken.flatMap((event) =>
    (server.listeners(event) as Listener[]).map((listener) => ({ event, listener })),
  );
  for (const { event, listener } of setAside) server.removeListener(event, listener);
  return () => {
    for (const { event, listener } of setAside) server.on(event, listener);
  };
}

/**
 * Puts our listener on {@link EVENTS}, and says so once in the log if somebody adds another one later: it is never called.
 *
 * @returns takes it off.
 */
export function listenForExpectations(
  server: AttachableServer,
  listener: Listener,
  logger: PreparedLogger,
): () => void {
  for (const event of EVENTS) server.on(event, listener);
  const warnOfOthers = (event: string) => {
    if (!(EVENTS as readonly string[]).includes(event)) return;
    server.removeListener("newListener", warnOfOthers);
    const err = listenersError([event]);
    logger.error({ event: "expectation.attach", err }, err.message);
  };
  server.on("newListener", warnOfOthers);
  return () => {
    server.removeListener("newListener", warnOfOthers);
    for (const event of EVENTS) server.removeListener(event, listener);
  };
}

function listenersError(taken: readonly string[]): ExpectationError {
  return new ExpectationError(
    "ERR_EXPECT_LISTENERS",
    `attach(server): somebody else listens for ${taken.join(" and ")} on this server, and both would run the application; remove that listener, or pass { replaceListeners: true } to set it aside`,
  );
}
