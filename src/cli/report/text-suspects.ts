import type { Suspect } from "../../report/summary.js";
import { wrap } from "../wrap.js";
import type { TextOptions } from "./text-options.js";
import { bytesText, countText } from "./units.js";

const WIDEST_SENTENCE = 100;

/** Writes what is known about each suspect, and what to change. */
export function suspectLines(suspects: readonly Suspect[], { width, paint }: TextOptions): string[] {
  if (suspects.length === 0) return [];
  const sentences = Math.min(width, WIDEST_SENTENCE);
  const title = "What is known about these clients, and what to change on their side";
  const lines = wrap(title, sentences, "", "  ").map((line) => paint("bold", line));
  for (const { name, count, statuses, bytesSpared, known, change } of suspects) {
    const by = Object.entries(statuses)
      .map(([status, times]) => `${status}: ${countText(times)}`)
      .join(", ");
    const head = `${name}: ${countText(count)} refused (${by}), ${bytesText(bytesSpared)} not sent`;
    lines.push("", ...wrap(head, sentences, "", "  ").map((line) => paint("bold", line)));
    for (const sentence of known) lines.push(...wrap(sentence, sentences, "  - ", "    "));
    for (const step of change) {
      lines.push(...wrap(step, sentences, "  > ", "    ").map((line) => paint("cyan", line)));
    }
  }
  return lines;
}
