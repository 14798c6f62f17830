/** The text of `express-expectations report --help`. */
export const REPORT_HELP: string = `Usage: express-expectations report [OPTION…] [FILE…]

Says who is refused and why, from logs of JSON lines as pino, bunyan, winston and this package's own logger write
them; what else is in a log is passed over. Reads standard input where there is no FILE, or where it is -.
Files may be compressed with gzip.

  --since TIME   leaves out what was before: 2026-11-22, 2026-11-22T08:00Z, or how long ago: 90m, 24h, 7d
  --until TIME   leaves out what was at that time and later
  --top N        rows of each table, 1 to 1000; 10 unless told
  --json         prints the result as JSON
  --html FILE    writes the result as a page of its own into FILE, and nothing to standard output
  -h, --help     prints this

Times are UTC where they name no zone.

Exit codes: 0 done; 1 no line of the input is a JSON object; 2 wrong usage; 3 a file cannot be read or written.
`;
