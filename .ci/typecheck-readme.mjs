// Compiles the programs of the README and the pages for users as a user would, strictly: a part of `npm run typecheck`.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import ts from "typescript";
import { blocksOf, PAGES } from "../tests/examples/readme-blocks.cjs";

const repository = resolve(import.meta.dirname, "..");
const { config } = ts.readConfigFile(join(repository, "tsconfig.json"), ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(
  { ...config, include: [], files: ["src/index.ts"] },
  ts.sys,
  repository,
);
options.paths = {
  "express-expectations": ["./src/index.ts"],
  "express-expectations/client": ["./src/client/client.ts"],
  "express-expectations/testing": ["./src/testing/testing.ts"],
  "express-expectations/dashboard": ["./src/dashboard/dashboard.ts"],
  "express-expectations/prometheus": ["./src/observe/prometheus.ts"],
};

// Files that are nowhere on the disk, in the folder of the README: what they import is found from there.
const blocks = new Map(
  Object.entries(PAGES).flatMap(([page, preamble]) =>
    blocksOf(readFileSync(join(repository, page), "utf8"), preamble).map((block, i) => [
      join(repository, `block-of-${page.replaceAll(/[^\w]/g, "-")}-${i + 1}.mts`),
      { ...block, page },
    ]),
  ),
);
const host = ts.createCompilerHost(options);
const { getSourceFile, fileExists, readFile } = host;
host.fileExists = (file) => blocks.has(file) || fileExists(file);
host.readFile = (file) => blocks.get(file)?.source ?? readFile(file);
host.getSourceFile = (file, languageVersion, ...rest) =>
  blocks.has(file)
    ? ts.createSourceFile(file, blocks.get(file).source, languageVersion, true)
    : getSourceFile(file, languageVersion, ...rest);

const program = ts.createProgram([...blocks.keys()], options, host);
for (const { file, start, messageText, code } of ts.getPreEmitDiagnostics(program)) {
  const block = blocks.get(file?.fileName);
  const line = file ? file.text.slice(0, start).split("\n").length : 0;
  const place = block
    ? `${block.page}, block ${block.name}, line ${line} of the program`
    : `${file?.fileName}, line ${line}`;
  process.stderr.write(`${place}: TS${code} ${ts.flattenDiagnosticMessageText(messageText, "\n")}\n`);
  process.exitCode = 1;
}
