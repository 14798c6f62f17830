import type { Paint } from "../terminal.js";

/** How to write a result. */
export interface TextOptions {
  readonly paint: Paint;
  /** The terminal's columns. */
  readonly width: number;
  /** Whether the bytes of every exchange with a finding are shown, and notes in full. */
  readonly isVerbose: boolean;
}
