import { characterWidth, widthOf } from "../wrap.js";

/** A text that takes as many columns as that at most; where something is cut off, an ellipsis says so. */
function shortened(text: string, width: number): string {
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
