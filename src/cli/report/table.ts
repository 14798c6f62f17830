import { shortened, widthOf } from "../wrap.js";

/** One column of a table. The first column of a table is text, the others are numbers. */
export interface Column {
  readonly head: string;
  readonly cells: readonly string[];
}

const GAP = "  ";
const LEAST_FIRST = 24;

/**
 * Returns the lines of a table.
 *
 * The first column is aligned to the left and shortened if necessary. The others are aligned to the right. If the first
 * column would become too narrow, columns at the end are left out.
 *
 * @param leastFirst - the width that the first column takes if there is room.
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

/** Returns the width of a column, in columns of the terminal. */
export function widthOfColumn({ head, cells }: Column): number {
  return Math.max(widthOf(head), ...cells.map(widthOf));
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + GAP.length + width, 0);
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(width - widthOf(text), 0));
}
