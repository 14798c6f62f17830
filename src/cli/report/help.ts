/** The text of `express-expectations report --help`. */
export const REPORT_HELP: string = `Usage: express-expectations report [OPTION…] [FILE…]

Says who is refused and why. Reads JSON lines as pino, bunyan, winston and this package's own logger write them,
and ignores other lines. Reads standard input if there is no FILE, or if FILE is -. Files may be compressed with gzip.

  --since TIME   leaves out earlier records: 2026-11-22, 2026-11-22T08:00Z, or how long ago: 90m, 24h, 7d
  --until TIME   leaves out records at that time and later
  --top N        rows of each table, 1 to 1000 (10)
  --json         prints the result as JSON
  --html FILE    writes the result as a page to FILE, and nothing to standard output
  -h, --help     prints this

Times without a zone are UTC.

Exit codes: 0 done; 1 no line of the input is a JSON object; 2 wrong usage; 3 a file cannot be read or written.
`;
