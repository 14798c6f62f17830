// The public API of each entry of the package, as a report in .ci/api/ for reviews.
//
//   node .ci/api.mjs            fails if a report differs from what the source declares
//   node .ci/api.mjs --write    writes the reports
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";

const repository = resolve(import.meta.dirname, "..");
const reportFolder = join(repository, ".ci/api");
const { exports: exported } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
const { values } = parseArgs({ options: { write: { type: "boolean", default: false } } });

// Below the repository, so that imports of packages resolve. Not in node_modules, whose files count as foreign ones.
// Its name is in the reports, so it is always the same.
const folder = join(import.meta.dirname, ".types");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
try {
  emitDeclarations();
  if (values.write) mkdirSync(reportFolder, { recursive: true });
  const differing = entries().filter((entry) => !isReported(entry));
  if (differing.length > 0) {
    process.stdout.write("The public API differs from .ci/api/. If that is meant: npm run docs\n");
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

// `npm run typecheck` checks the types.
function emitDeclarations() {
  const tsc = join(repository, "node_modules/typescript/bin/tsc");
  const project = join(repository, "tsconfig.build.json");
  const options = ["--noCheck", "--emitDeclarationOnly", "--declarationMap", "false", "--outDir", folder];
  const { status } = spawnSync(process.execPath, [tsc, "-p", project, ...options], { stdio: "inherit" });
  if (status !== 0) throw new Error(`tsc ended with exit code ${status}`);
}

// package.json alone says which entries there are, and where their declarations are.
function entries() {
  return Object.entries(exported)
    .filter(([, target]) => target.import !== undefined)
    .map(([path, target]) => ({
      name: path === "." ? "index" : path.slice("./".length),
      declarations: join(folder, relative("dist/esm", target.import.types)),
    }));
}

function isReported({ name, declarations }) {
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: repository,
      mainEntryPointFilePath: declarations,
      newlineKind: "lf",
      compiler: {
        overrideTsconfig: { extends: join(repository, "tsconfig.json"), files: [declarations], include: [] },
      },
      apiReport: { enabled: true, reportFileName: `${name}.api.md`, reportFolder, reportTempFolder: folder },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: "error" } },
        extractorMessageReporting: {
          default: { logLevel: "error" },
          // Everything that an entry exports is public.
          "ae-missing-release-tag": { logLevel: "none" },
          // A signature may use a type that no entry exports. The report says so.
          "ae-forgotten-export": { logLevel: "none", addToApiReportFile: true },
          "ae-undocumented": { logLevel: "none" },
        },
        // The docstrings are JSDoc, which has `{Type}` behind @throws.
        tsdocMessageReporting: { default: { logLevel: "none" } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(repository, "package.json"),
  });
  const { apiReportChanged, succeeded } = Extractor.invoke(config, {
    localBuild: values.write,
    printApiReportDiff: true,
    messageCallback: showDifferences,
  });
  return succeeded && (values.write || !apiReportChanged);
}

// The other messages of this source are about steps, and about copying a file that is removed here.
function showDifferences(message) {
  if (message.category !== "console" || message.messageId === "console-api-report-diff") return;
  message.logLevel = "none";
}
