import type { Socket } from "node:net";
import type { PreparedLogger } from "../observe/logger.js";

/** The settings and shared state of the server that a request came in on. */
export interface ServerContext {
  /** Closes refused connections in stages. */
  readonly lingering: {
    /** @param contentLeft - bytes of content still to come; `undefined` when unknown. */
    add(socket: Socket, contentLeft: number | undefined): void;
  };
  readonly bodyTimeoutMs: number;
  readonly logger: PreparedLogger;
  /** Whether an expectation that nobody accepted is ignored. */
  readonly ignoresUnknown: boolean;
  /** Whether the server refuses expectations that no name covers, before any guard sees them. */
  readonly refusesUnknownAtOnce: boolean;
  /** Names of the expectations that guards decide. */
  readonly names: ReadonlySet<string>;
}
