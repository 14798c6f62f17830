import type { Refusal } from "../http/refusal.js";
import { refuse } from "./refuse.js";

/** Refuses content of unknown length. */
export const LENGTH_REQUIRED: Refusal = refuse(411, { reason: "Content-Length is required" });

/** Makes the refusal of content of unknown length that is larger than what it counts as. */
export function largerThanCounted(bytes: number | undefined): Refusal {
  return refuse(413, { reason: `larger than the ${bytes ?? 0} bytes allowed for content of unknown length` });
}
