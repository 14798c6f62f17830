// The table of docs/metrics-and-tracing.md: written from the rows of a run, and read again to compare them.
const START = "<!-- tracers: written by `npm run test:tracers` -->";
const END = "<!-- /tracers -->";
const COLUMNS = ["once", "same", "refused", "refusedByAttach"];
const TITLES = [
  "",
  "version",
  "loaded",
  "handler runs once",
  "spans as without this package",
  "refusal of a guard in the app has a span",
  "refusal of `attach({ guard })` has a span",
];

const line = (cells) => `| ${cells.join(" | ")} |`;
const isShown = ({ skipped, isMeant }) => !skipped || isMeant;

/** The page with the table of these rows. */
export function withTable(page, rows) {
  const [before, rest] = page.split(START);
  const [, after] = rest.split(END);
  const table = [TITLES, TITLES.map(() => "---"), ...rows.filter(isShown).map(cellsOf)].map(line);
  return [before, START, "\n\n", table.join("\n"), "\n\n", END, after].join("");
}

function cellsOf({ name, version, title, cells, skipped }) {
  return [name, version, title, ...COLUMNS.map((id, i) => (skipped ? (i === 0 ? skipped : "") : cells[id]))];
}

/** Where the page says something else than these rows. Versions may differ. */
export function differences(page, rows) {
  const claimed = new Set(
    page
      .split("\n")
      .filter((text) => text.startsWith("| "))
      .map((text) => text.slice(2, -2).split(" | "))
      .map((cells) => line(cells.toSpliced(1, 1))),
  );
  return rows
    .filter((row) => !row.skipped && row.faults.length === 0)
    .map((row) => line(cellsOf(row).toSpliced(1, 1)))
    .filter((text) => !claimed.has(text))
    .map((text) => `not in the table: ${text}`);
}
