import type { ServerResponse } from "node:http";
import type { Summary } from "../report/summary.js";

/** One reader of server-sent events. */
export interface EventStream {
  readonly res: ServerResponse;
  /** Whether the reader has to take earlier events first. */
  isBlocked: boolean;
  /** Whether the stream was blocked at the last heartbeat. */
  missedHeartbeat: boolean;
}

/** Returns a summary as a server-sent event. */
export function eventOf(summary: Summary): string {
  return `data: ${JSON.stringify(summary)}\n\n`;
}

/** Sends an event. A blocked stream skips it: the next summary replaces it. */
export function send(stream: EventStream, text: string): void {
  if (!stream.isBlocked) stream.isBlocked = !stream.res.write(text);
}

/** Keeps proxies from closing a quiet stream, and disconnects a reader that has taken nothing since the last one. */
export function sendHeartbeat(stream: EventStream): void {
  if (stream.missedHeartbeat) {
    stream.res.destroy();
    return;
  }
  stream.missedHeartbeat = stream.isBlocked;
  send(stream, ":\n\n");
}
