import { CASES, PATIENCE_MS } from "./cases.mjs";
import { CLIENTS } from "./catalogue.mjs";
import { EXCEPTIONS, exceptionOf } from "./exceptions.mjs";

const CELLS = [...CASES.map(({ name }) => name), "next", "hang"];
const HEADINGS = ["client", "version", "`Expect`", "waits", ...CASES.map(({ name }) => name), "next request", "hangs"];
/** These are figures, and no claims that a later run has to confirm. */
const FIGURES = new Set(["version", "waits"]);
const modeOf = (name) => CLIENTS.flatMap(({ modes }) => modes).find((mode) => mode.name === name);

/** What a row of `measure`, or `{ name, skipped }`, says in the table: a text for each heading. */
export function claimsOf(row) {
  const mode = modeOf(row.name);
  const texts = row.skipped
    ? HEADINGS.map((_heading, i) => (i === 0 ? row.name : i === 1 ? `skipped: ${row.skipped}` : "–"))
    : [row.name, row.version, mode.sends ?? "no", waitOf(row), ...CELLS.map((cell) => textOf(row, mode, cell))];
  return texts.map((text) => text.replaceAll("|", "\\|"));
}

const sum = (wrong) => Object.values(wrong).reduce((total, times) => total + times, 0);

function waitOf({ waited }) {
  if (!waited) return "–";
  const { ms, gaveUp } = waited;
  if (ms >= PATIENCE_MS) return `over ${PATIENCE_MS / 1000} s`;
  const time = ms < 500 ? "not at all" : `${(ms / 1000).toFixed(1)} s`;
  return gaveUp ? `${time}, then fails` : time;
}

function textOf(row, mode, cell) {
  const exception = exceptionOf(mode.name, cell);
  const mark = exception ? `exception ${EXCEPTIONS.indexOf(exception) + 1}` : undefined;
  if (exception && !exception.mostOf) return mark;
  const { right, wrong } = row.cells[cell];
  const wrongs = sum(wrong);
  if (cell === "hang") return wrongs === 0 ? "never" : `**${wrongs} times**`;
  if (wrongs > 0 && !exception) return `**${right} of ${right + wrongs}**`;
  if (cell === "next") return "works";
  const { statuses, withoutExpect, repeated, isChunked, hasCredentials } = CASES.find(({ name }) => name === cell);
  if (mode.repeats417 && repeated) return `${repeated.join(", then ")}, by itself`;
  const status = String(((!row.sendsExpect && withoutExpect) || statuses).at(-1));
  const details = [status];
  if (isChunked && !mode.canChunk) details.push("known length");
  if (hasCredentials) details.push(row.repeats === "itself" ? "by itself" : "by its caller");
  if (mark) details.push(mark);
  return details.join(", ");
}

/** Texts of what went wrong in a row and is no exception. */
export function faultsOf(row) {
  const faults = [];
  const mode = modeOf(row.name);
  if (row.sendsExpect !== (mode.sends !== undefined)) faults.push(`${row.name}: sends Expect: ${row.sendsExpect}`);
  for (const cell of CELLS) {
    const exception = exceptionOf(row.name, cell);
    const { right, wrong } = row.cells[cell];
    let excused = exception ? Math.ceil((right + sum(wrong)) / (exception.mostOf ?? 1)) : 0;
    for (const [text, times] of Object.entries(wrong)) {
      const isExcused = exception?.sees.test(text) && times <= excused;
      if (isExcused) excused -= times;
      else faults.push(`${row.name}, ${cell}, ${times} times: ${text}`);
    }
    const isAlways = exception && !exception.mostOf;
    if (isAlways && right >= 20) faults.push(`${row.name}, ${cell}: its exception is not seen`);
  }
  return faults;
}

/** Where the claims of a written table and those of these rows are not the same, as texts. */
export function differences(document, rows) {
  const written = parse(document);
  const known = new Set(CLIENTS.flatMap(({ modes }) => modes.map(({ name }) => name)));
  const texts = [...written.keys()].filter((name) => !known.has(name)).map((name) => `${name}: no such client`);
  for (const row of rows) {
    if (row.skipped) continue;
    const was = written.get(row.name);
    if (!was) {
      texts.push(`${row.name}: not in the table`);
      continue;
    }
    for (const [i, text] of claimsOf(row).entries()) {
      if (FIGURES.has(HEADINGS[i]) || was[i] === text) continue;
      texts.push(`${row.name}, ${HEADINGS[i]}: the table says ${was[i]}, this run ${text}`);
    }
  }
  return texts;
}

function parse(document) {
  const rows = new Map();
  for (const line of document.split("\n")) {
    const cells = line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim());
    if (cells.length !== HEADINGS.length || cells[0] === HEADINGS[0] || /^-+$/.test(cells[0])) continue;
    rows.set(cells[0], cells);
  }
  return rows;
}

function markdown(headings, rows) {
  const widths = headings.map((heading, i) => Math.max(heading.length, ...rows.map((row) => row[i].length)));
  const line = (cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  return [line(headings), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** The page docs/clients.md. */
export function page(rows, { runs, platform, sizes }) {
  const table = (isIn) => markdown(HEADINGS, rows.filter(isIn).map(claimsOf));
  const exceptions = EXCEPTIONS.map(({ modes, cells, reason }, i) => {
    return `${i + 1}. **${modes.join("; ")}** (${cells.join("; ")}): ${reason}`;
  });
  const switches = CLIENTS.map(({ name, on, off }) => [name, on, off].map((text) => text.replaceAll("|", "\\|")));
  return `# What clients do

Written by \`npm run test:clients\`, which takes an Express app on this package through every client that it finds, ${runs} times each, uploads of ${sizes} by turns; on ${platform}, by loopback. Do not edit it: \`tests/clients/suite\` is where it comes from.

- **\`Expect\`**: what makes the client send \`Expect: 100-continue\`; **waits**: how long it then holds its content back where no answer comes.
- **accepted**: the upload is stored byte for byte, by SHA-256.
- **refused at once**, **after 300 ms**, **after 2.5 s**: how long the verdict takes; the cell is the status that the client reports to its caller.
- **in mid-body**: cut off at 1 MiB, by \`maxSize\` in a body of unknown length; by the same count where the client has to declare one (_known length_).
- **401, then stored**: refused for want of credentials, sent again with them, and stored byte for byte; by the client itself, or by its caller.
- **417**: a policy that answers \`false\`; that is a 403 where the request has no \`Expect\`. A client that repeats a 417 without it sees both.
- **next request**: behind each of these, an upload on the same session or pool, stored byte for byte. To curl and wget, one command is a session.
- **hangs**: exchanges without an end within 20 s.

A cell that names no exception and does not say how often stands for ${runs} of ${runs}; the server's side of each exchange is compared, too: which statuses it sent, and that nothing was sent again behind the client's back. Retries that a client can do without are switched off.

## Clients that send \`Expect\`

${table(({ name }) => modeOf(name).sends)}

## Clients that do not

${table(({ name }) => !modeOf(name).sends)}

## Exceptions

${exceptions.join("\n")}

## Switching \`Expect\` on and off

${markdown(["client", "on", "off"], switches)}
`;
}
