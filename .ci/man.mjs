// The manual page of the command, from what describes the commands in src/cli: docs/express-expectations.1.
//
//   node .ci/man.mjs            writes it
//   node .ci/man.mjs --check    fails if it differs from what the source says
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";

const repository = resolve(import.meta.dirname, "..");
const file = join(repository, "docs/express-expectations.1");
const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });

const page = manualPage(await load());
if (!values.check) writeFileSync(file, page);
else if (readFileSync(file, "utf8") !== page) {
  process.stdout.write("docs/express-expectations.1 differs from the help of the commands: npm run docs\n");
  process.exitCode = 1;
}

async function load() {
  const { outputFiles } = await build({
    stdin: {
      contents: 'export * from "./src/cli/descriptions.ts";',
      resolveDir: repository,
    },
    bundle: true,
    write: false,
    platform: "node",
    format: "esm",
  });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

// The macros of man(7).
function manualPage({ DESCRIPTIONS }) {
  const list = (pairs) => pairs.flatMap(([term, text]) => [".TP", term, roff(text)]);
  const lines = [
    '.\\" Written by npm run docs.',
    '.TH EXPRESS-EXPECTATIONS 1 "" "express-expectations" "User Commands"',
    ".SH NAME",
    "express-expectations \\- what happens to uploads with Expect: 100-continue",
    ".SH SYNOPSIS",
    ...DESCRIPTIONS.flatMap(({ name, operands }, i) => [
      ...(i === 0 ? [] : [".br"]),
      `\\fBexpress\\-expectations ${roff(name)}\\fR [\\fIOPTION\\fR...] ${roff(operands)}`,
    ]),
    ".SH DESCRIPTION",
    ...list(DESCRIPTIONS.map(({ name, summary }) => [`.B ${roff(name)}`, `${summary}.`])),
    ...DESCRIPTIONS.flatMap((one) => [
      `.SH ${roff(one.name.toUpperCase())}`,
      roff(one.purpose),
      ...list(Object.entries(one.options).map(([long, option]) => [namesOf(long, option), `${option.help}.`])),
      ...(one.notes ?? []).flatMap((note) => [".PP", roff(note)]),
      ".PP",
      "Exit codes:",
      ...list(one.exitCodes.map(([code, meaning]) => [`.B ${code}`, `${meaning}.`])),
    ]),
    ".SH ENVIRONMENT",
    ...list([[".BR NO_COLOR , FORCE_COLOR", "Decide about colours, unless an option does."]]),
    ".SH SEE ALSO",
    ".BR curl (1),",
    "RFC 9110 section 10.1.1, and the pages in docs/ of the package.",
  ];
  return `${lines.join("\n")}\n`;
}

function namesOf(long, { short, value }) {
  const names = [...(short === undefined ? [] : [`-${short}`]), `--${long}`].map((name) => `\\fB${roff(name)}\\fR`);
  return `${names.join(", ")}${value === undefined ? "" : ` \\fI${roff(value)}\\fR`}`;
}

// A line that begins with a dot or a quote would be a request.
function roff(text) {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("…", "...").replace(/^[.']/, "\\&$&");
}
