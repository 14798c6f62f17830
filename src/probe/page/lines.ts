import { escapeHtml } from "../../pages/html.js";

/** The width of the time at the beginning of a line of evidence, in characters. */
export const TIME_WIDTH = 11;

/** Returns lines of evidence as a block with two columns: time and bytes. */
export function linesBlock(lines: readonly string[]): string {
  const blocks = lines.map((line) => {
    const [time, rest] = [line.slice(0, TIME_WIDTH), line.slice(TIME_WIDTH)];
    return `<span class="line ${directionOf(rest)}"><span>${escapeHtml(time.trim())} </span><span>${escapeHtml(rest.trim())}</span></span>`;
  });
  return `<pre>${blocks.join("\n")}</pre>`;
}

function directionOf(rest: string): "out" | "in" | "none" {
  if (rest.startsWith(" →")) return "out";
  return rest.startsWith(" ←") ? "in" : "none";
}
