import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import type { Http2SecureServer, Http2Server } from "node:http2";
import type { Server as HttpsServer } from "node:https";
import type { Logger } from "../observe/logger.js";

/** A server that can be attached. */
export type AttachableServer = HttpServer | HttpsServer | Http2Server | Http2SecureServer;

/** Options of {@link attach}; all are optional. */
export interface AttachOptions {
  /** A guard that judges every request before the application sees it. Its policies get Node's own request. */
  guard?: (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;
  /** Where the server's own refusals are logged. Default: one line of JSON each, on standard error. */
  logger?: Logger;
  /** What happens to expectations that no name covers. Default `"refuse"`: with 417. */
  unknownExpectations?: "refuse" | "ignore";
  /** Names of the expectations that guards decide. Default: none. */
  extensions?: readonly string[];
  /** How long a refused connection is kept to drain, in milliseconds. Default 5,000. */
  lingerMs?: number;
  /** How much of a refused body is drained, in bytes. Default 64 MiB. */
  lingerBytes?: number;
  /** How many refused connections are drained at the same time; the oldest goes first. Default 1,000. */
  maxLingering?: number;
  /**
   * How long no byte of content may come while the application asks for some, in milliseconds. Default 60,000. Holds
   * after a 100, and for uploads that a guard has accepted.
   */
  bodyTimeoutMs?: number;
  /**
   * How fast the content of an accepted upload has to come while the application asks for it, in bytes per second, on
   * average and beyond `rateGraceMs`. Default 500; then 408. `minRate` sets another rate for one route.
   */
  minBytesPerSecond?: number;
  /** How long an accepted upload may take beyond `minBytesPerSecond`, in milliseconds. Default 20,000. */
  rateGraceMs?: number;
  /**
   * Sets aside listeners of `checkContinue` and `checkExpectation` that are already there, until {@link detach}. Those of
   * `checkContinue` get the requests that pass the gate; the 100 that they write at once goes out when the content is read.
   */
  replaceListeners?: boolean;
}

export const ATTACH_OPTION_KEYS: readonly (keyof AttachOptions)[] = [
  "guard",
  "logger",
  "unknownExpectations",
  "extensions",
  "lingerMs",
  "lingerBytes",
  "maxLingering",
  "bodyTimeoutMs",
  "minBytesPerSecond",
  "rateGraceMs",
  "replaceListeners",
];
