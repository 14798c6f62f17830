import { optionError } from "../support/errors.js";
import type { DecisionSource } from "./decision-source.js";

/** What a worker's `process` has. */
export interface WorkerProcess {
  /** Sends a message to the primary process. Only a process that was forked has it. */
  send?(message: unknown, handle: undefined, options: undefined, callback: (error: Error | null) => void): boolean;
  /** Listens for messages of the primary process. */
  on(event: "message", listener: (message: unknown) => void): unknown;
  /** Ends that. */
  off(event: "message", listener: (message: unknown) => void): unknown;
}

/** A worker as the primary process has it. */
export interface PrimaryWorker {
  /** Whether messages can be sent to it. */
  isConnected(): boolean;
  /** Sends a message to it. */
  send(message: unknown, callback: (error: Error | null) => void): boolean;
}

/** Receives messages of workers. */
export type WorkerListener = (worker: PrimaryWorker, message: unknown) => void;

/** What the primary process's `cluster` of `node:cluster` has. */
export interface PrimaryCluster {
  /** Whether this is the primary process. */
  readonly isPrimary: boolean;
  /** The workers that are there. */
  readonly workers?: NodeJS.Dict<PrimaryWorker> | undefined;
  /** Listens for messages of all workers. */
  on(event: "message", listener: WorkerListener): unknown;
  /** Ends that. */
  off(event: "message", listener: WorkerListener): unknown;
}

/** What {@link relayDecisions} returns. */
export interface DecisionRelay extends DecisionSource {
  /** Ends the relay. */
  close(): void;
}

const TYPE = "express-expectations:decisions";
/** How many messages may be on their way to one worker. A worker that stands still gets no more. */
const MAX_UNDER_WAY = 20;

/**
 * Makes a source of the decisions of all workers of a cluster. The primary process has to call {@link relayDecisions}.
 *
 * @param worker - the global `process`, in a worker of `node:cluster`.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if `worker` is not a process that has a primary process.
 * @example app.use("/uploads", requireOperator, dashboard({ from: fromWorkers(process) }));
 */
export function fromWorkers(worker: WorkerProcess): DecisionSource {
  const { send, on, off } = Object(worker) as Partial<WorkerProcess>;
  if (![send, on, off].every((method) => typeof method === "function")) {
    throw optionError("fromWorkers(process)", worker, "the process of a worker, which was started by cluster.fork()");
  }
  return {
    publish: (text) =>
      new Promise<void>((resolve, reject) => {
        worker.send?.({ type: TYPE, text }, undefined, undefined, (error) => (error ? reject(error) : resolve()));
      }),
    subscribe(onText) {
      const listener = (message: unknown) => {
        const text = textIn(message);
        if (text !== undefined) onText(text);
      };
      worker.on("message", listener);
      return () => void worker.off("message", listener);
    },
  };
}

/**
 * Passes the decisions of each worker on to all other workers, in the primary process of a cluster.
 *
 * @param cluster - the default export of `node:cluster`.
 * @returns a source as well, for a dashboard in the primary process; `close` ends the relay.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if this is not the primary process.
 * @example if (cluster.isPrimary) relayDecisions(cluster);
 */
export function relayDecisions(cluster: PrimaryCluster): DecisionRelay {
  if (Object(cluster).isPrimary !== true || typeof cluster.on !== "function") {
    throw optionError("relayDecisions(cluster)", cluster, "the default export of node:cluster, in the primary process");
  }
  const readers = new Set<(text: string) => void>();
  const underWay = new WeakMap<PrimaryWorker, number>();

  function send(worker: PrimaryWorker, text: string): void {
    const count = underWay.get(worker) ?? 0;
    if (!worker.isConnected() || count >= MAX_UNDER_WAY) return;
    underWay.set(worker, count + 1);
    // An error means that the worker has ended.
    worker.send({ type: TYPE, text }, () => underWay.set(worker, (underWay.get(worker) ?? 1) - 1));
  }

  function sendToAll(text: string, except?: PrimaryWorker): void {
    for (const worker of Object.values(cluster.workers ?? {})) if (worker && worker !== except) send(worker, text);
  }

  const relay: WorkerListener = (worker, message) => {
    const text = textIn(message);
    if (text === undefined) return;
    sendToAll(text, worker);
    for (const read of readers) read(text);
  };
  cluster.on("message", relay);
  return {
    publish: (text) => sendToAll(text),
    subscribe(onText) {
      readers.add(onText);
      return () => void readers.delete(onText);
    },
    close: () => void cluster.off("message", relay),
  };
}

function textIn(message: unknown): string | undefined {
  const { type, text } = Object(message) as { type?: unknown; text?: unknown };
  return type === TYPE && typeof text === "string" ? text : undefined;
}
