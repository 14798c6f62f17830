import { escapeHtml } from "../../pages/html.js";

/** How much of a line of evidence is its time. */
export const TIME_WIDTH = 11;

/** Lines of evidence: time and bytes stand in columns of their own. */
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
