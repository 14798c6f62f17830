import type { IncomingMessage, ServerResponse } from "node:http";
import { leaveContinueToReads } from "../handshake/interim.js";
import type { PreparedLogger } from "../observe/logger.js";
import { ExpectationError } from "../support/errors.js";
import type { AttachableServer } from "./options.js";

type Listener = (...args: unknown[]) => void;

/** The events that keep Node from answering `Expect` by itself, as long as somebody listens for them. */
const EVENTS = ["checkContinue", "checkExpectation"] as const;
export type ExpectationEvent = (typeof EVENTS)[number];

/** Listeners of {@link EVENTS} that were set aside. */
export interface SetAside {
  /** Hands an admitted request to the listeners of `checkContinue`. Returns whether there are some. */
  continueRequest(server: AttachableServer, req: IncomingMessage, res: ServerResponse): boolean;
  putBack(): void;
}

/**
 * Sets aside listeners of {@link EVENTS}: with two of them the application would run twice.
 *
 * Those of `checkContinue` still get the requests that pass the gate, because frameworks rely on them: hapi responds
 * before the content is sent only to requests that came by this event.
 *
 * @returns the listeners; `undefined` if there are none.
 * @throws {ExpectationError} `ERR_EXPECT_LISTENERS` if there are some, and `replaceListeners` is false.
 */
export function freeEvents(server: AttachableServer, replaceListeners: boolean): SetAside | undefined {
  const taken = EVENTS.filter((event) => server.listenerCount(event) > 0);
  if (taken.length === 0) return undefined;
  if (!replaceListeners) throw listenersError(taken);
  const setAside = taken.flatMap((event) =>
    (server.listeners(event) as Listener[]).map((listener) => ({ event, listener })),
  );
  for (const { event, listener } of setAside) server.removeListener(event, listener);
  const forContinue = setAside.filter(({ event }) => event === "checkContinue");
  return {
    continueRequest(holder, req, res) {
      for (const { listener } of forContinue)
        leaveContinueToReads(res, () => Reflect.apply(listener, holder, [req, res]));
      return forContinue.length > 0;
    },
    putBack() {
      for (const { event, listener } of setAside) server.on(event, listener);
    },
  };
}

/**
 * Puts our listener on {@link EVENTS}, and says so once in the log if somebody adds another one later: it is never called.
 *
 * @returns takes it off.
 */
export function listenForExpectations(
  server: AttachableServer,
  listener: (event: ExpectationEvent, req: IncomingMessage, res: ServerResponse) => void,
  logger: PreparedLogger,
): () => void {
  const own = EVENTS.map((event) => ({ event, listener: listener.bind(undefined, event) as Listener }));
  for (const { event, listener } of own) server.on(event, listener);
  const warnOfOthers = (event: string) => {
    if (!(EVENTS as readonly string[]).includes(event)) return;
    server.removeListener("newListener", warnOfOthers);
    const err = listenersError([event]);
    logger.error({ event: "expectation.attach", err }, err.message);
  };
  server.on("newListener", warnOfOthers);
  return () => {
    server.removeListener("newListener", warnOfOthers);
    for (const { event, listener } of own) server.removeListener(event, listener);
  };
}

function listenersError(taken: readonly string[]): ExpectationError {
  return new ExpectationError(
    "ERR_EXPECT_LISTENERS",
    `attach(server): somebody else listens for ${taken.join(" and ")} on this server, and both would run the application; remove that listener, or pass { replaceListeners: true }, so that it gets the requests that pass the gate`,
  );
}
