import type { Paint } from "../terminal.js";

/** Options of the text report. */
export interface TextOptions {
  /** Columns of the terminal. */
  readonly width: number;
  readonly paint: Paint;
}
