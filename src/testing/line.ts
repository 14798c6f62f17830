import type { Journal } from "../probe/wire/journal.js";
import type { Plan } from "./plan.js";

/** An open connection to the server under test. */
export interface Line {
  /** Whether another request may be sent. */
  readonly isOpen: boolean;
  /** Prepares a request. Its head is not sent yet. */
  begin(plan: Plan): Sent;
  close(): void;
}

/** One request on a connection. */
export interface Sent {
  /** Everything that was sent and received, as it was on the wire. */
  readonly journal: Journal;
  /** Whether it is a stream of HTTP/2. */
  readonly isStream: boolean;
  sendHead(): void;
  /** @param taken - called when the system has taken the bytes. */
  sendContent(bytes: Buffer, taken: () => void): void;
  endContent(): void;
  leave(how: "end" | "reset"): void;
}

/** How much of a response's content is kept, in bytes. */
export const KEPT_BYTES: number = 4 * 2 ** 20;

/** Keeps texts as they are. What is printed is prepared for display later. */
export const RAW = {
  line: (line: string): string => line,
  lines: (section: string): string[] => section.split(/\r?\n/),
  sample: (content: string): string => content,
};
