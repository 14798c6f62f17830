const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const COMBINING = /\p{M}/u;

/** Columns of a terminal that a text takes. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  if (character < "\u0300") return 1;
  return COMBINING.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
}

/** A text that takes as many columns as that at most; where something is cut off, an ellipsis says so. */
export function shortened(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  let left = width - 1;
  for (const character of text) {
    left -= characterWidth(character);
    if (left < 0) break;
    kept += character;
  }
  return `${kept}…`;
}

/** One column of a table: the first is text, the others are numbers. */
export interface Column {
  readonly head: string;
  readonly cells: readonly string[];
}

const GAP = "  ";
const LEAST_FIRST = 24;

/**
 * Lays columns out in lines: the first to the left and cut where it must be, the others to the right. Columns at the end
 * are left out where the first would become too narrow for them.
 *
 * @param leastFirst - the width that the first column takes where there is room for it.
 */
export function tableLines(columns: readonly Column[], width: number, leastFirst = 0): string[] {
  const [first, ...others] = columns as [Column, ...Column[]];
  const widths = others.map(widthOfColumn);
  const wanted = Math.max(widthOfColumn(first), leastFirst);
  while (others.length > 1 && Math.min(wanted, LEAST_FIRST) + total(widths) > width) {
    others.pop();
    widths.pop();
  }
  const firstWidth = Math.max(Math.min(wanted, width - total(widths)), 1);
  const line = (row: (column: Column) => string) =>
    [
      pad(shortened(row(first), firstWidth), firstWidth),
      ...others.map((column, i) => row(column).padStart(widths[i] ?? 0)),
    ]
      .join(GAP)
      .trimEnd();
  return [line(({ head }) => head), ...first.cells.map((_, i) => line(({ cells }) => cells[i] ?? ""))];
}

/** Columns of a terminal that a column takes. */
export function widthOfColumn({ head, cells }: Column): number {
  return Math.max(widthOf(head), ...cells.map(widthOf));
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + GAP.length + width, 0);
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(width - widthOf(text), 0));
}

/** Breaks a sentence into lines; those after the first are indented. */
export function wrap(text: string, width: number, first: string, later: string): string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(" ")) {
    if (!isEmpty && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = later;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
