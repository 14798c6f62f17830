// Compiles the programs of the README and of the pages in docs/ as a user would, strictly: a part of `npm run typecheck`.
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import ts from "typescript";
import { blocksOf, FILES, PREAMBLES } from "../tests/examples/page-blocks.cjs";

const repository = resolve(import.meta.dirname, "..");
const { config } = ts.readConfigFile(join(repository, "tsconfig.json"), ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(
  { ...config, include: [], files: ["src/index.ts"] },
  ts.sys,
  repository,
);
const { name, exports: exported } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
// Each entry of the package by its source.
options.paths = Object.fromEntries(
  Object.entries(exported)
    .filter(([, target]) => target.import !== undefined)
    .map(([entry, target]) => {
      const source = target.import.types.replace("./dist/esm/", "./src/").replace(/\.d\.ts$/, ".ts");
      return [join(name, entry), [source]];
    }),
);

const docs = readdirSync(join(repository, "docs")).filter((file) => file.endsWith(".md"));
const pages = ["README.md", ...docs.map((file) => join("docs", file))].filter((page) => !FILES.includes(page));

// Files that are nowhere on the disk, in the folder of the README: what they import is found from there.
const blocks = new Map(
  pages.flatMap((page) =>
    blocksOf(readFileSync(join(repository, page), "utf8"), PREAMBLES[page])
      .filter((block) => block.kind === "program")
      .map((block, i) => [join(repository, `${page.replaceAll(/\W/g, "-")}-block-${i + 1}.mts`), { page, ...block }]),
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
// `tsc -p .` has checked the source.
const faults = [...blocks.keys()].flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)));
for (const { file, start, messageText, code } of faults) {
  const block = blocks.get(file?.fileName);
  const line = file ? file.text.slice(0, start).split("\n").length : 0;
  const place = block
    ? `${block.page}, block ${block.name}, line ${line} of the program`
    : `${file?.fileName}, line ${line}`;
  process.stderr.write(`${place}: TS${code} ${ts.flattenDiagnosticMessageText(messageText, "\n")}\n`);
  process.exitCode = 1;
}
