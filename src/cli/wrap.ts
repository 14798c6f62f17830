import stringWidth from "string-width";
import wrapAnsi from "wrap-ansi";

const graphemes = new Intl.Segmenter("en");

/** Returns the number of terminal columns that a text takes. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** Shortens a text to a number of columns, with an ellipsis. */
export function shortened(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  let left = width - 1;
  for (const { segment } of graphemes.segment(text)) {
    left -= widthOf(segment);
    if (left < 0) break;
    kept += segment;
  }
  return `${kept}…`;
}

/**
 * Breaks a sentence into lines.
 *
 * @param first - the beginning of the first line.
 * @param later - the beginning of the other lines.
 */
export function wrap(text: string, width: number, first: string, later: string): string[] {
  const [begin = ""] = linesOf(text, width - widthOf(first));
  const rest = text.slice(begin.length).trimStart();
  const more = rest === "" ? [] : linesOf(rest, width - widthOf(later));
  return [`${first}${begin}`, ...more.map((line) => `${later}${line}`)];
}

function linesOf(text: string, width: number): string[] {
  return wrapAnsi(text, Math.max(1, width)).split("\n");
}
