import { slowness } from "./slowness.cjs";

/**
 * How long a test waits for something that takes no time of its own, in milliseconds: longer where the machine is slow.
 * For the end of a wait alone, never for what the package itself measures.
 */
export function deadline(ms: number): number {
  return Math.ceil(ms * slowness());
}
