import type { Suspect } from "../../report/summary.js";
import { wrap } from "../wrap.js";
import type { TextOptions } from "./text-options.js";
import { countText, sparedText } from "./units.js";

const WIDEST_SENTENCE = 100;

/** Writes what is known about each suspect, and what to change. */
export function suspectLines(suspects: readonly Suspect[], { width, paint }: TextOptions): string[] {
  if (suspects.length === 0) return [];
  const sentences = Math.min(width, WIDEST_SENTENCE);
  const title = "Client notes: what is known about these clients, and what to change on their side";
  const lines = wrap(title, sentences, "", "  ").map((line) => paint("bold", line));
  for (const suspect of suspects) {
    const { name, count, statuses, known, change, leaveOut } = suspect;
    const by = Object.entries(statuses)
      .map(([status, times]) => `${status}: ${countText(times)}`)
      .join(", ");
    const head = `${name}: ${countText(count)} refused (${by}), ${sparedText(suspect)}`;
    lines.push("", ...wrap(head, sentences, "", "  ").map((line) => paint("bold", line)));
    for (const sentence of known) lines.push(...wrap(sentence, sentences, "  - ", "    "));
    for (const step of [...change, ...leaveOut.map((way) => `Against the 417: ${way}`)]) {
      lines.push(...wrap(step, sentences, "  > ", "    ").map((line) => paint("cyan", line)));
    }
  }
  return lines;
}
