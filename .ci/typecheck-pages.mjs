// Type-checks the scripts of pages, which src/ holds as text: a part of `npm run typecheck`.
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";
import ts from "typescript";

const SOURCES = ["src/report/page/script.ts"];
const repository = resolve(import.meta.dirname, "..");
const name = "/page-script.js";
const options = {
  allowJs: true,
  checkJs: true,
  noEmit: true,
  strict: false,
  types: [],
  target: ts.ScriptTarget.ES2020,
  lib: ["lib.es2020.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
};
for (const source of SOURCES) {
  const faults = faultsOf(await scriptOf(source));
  for (const fault of faults) process.stderr.write(`${source}, ${fault}\n`);
  if (faults.length > 0) process.exitCode = 1;
}

/** The text that a module exports as `PAGE_SCRIPT`. */
async function scriptOf(source) {
  const entryPoints = [join(repository, source)];
  const { outputFiles } = buildSync({ entryPoints, bundle: true, format: "esm", platform: "node", write: false });
  const code = Buffer.from(outputFiles[0].contents).toString("base64");
  return (await import(`data:text/javascript;base64,${code}`)).PAGE_SCRIPT;
}

function faultsOf(script) {
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (file) => file === name || fileExists(file);
  host.readFile = (file) => (file === name ? script : readFile(file));
  host.getSourceFile = (file, ...rest) =>
    file === name ? ts.createSourceFile(name, script, ts.ScriptTarget.ES2020, true) : getSourceFile(file, ...rest);
  return ts.getPreEmitDiagnostics(ts.createProgram([name], options, host)).map(({ start, messageText, code }) => {
    const line = script.slice(0, start).split("\n").length;
    return `line ${line} of its text: TS${code} ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}
