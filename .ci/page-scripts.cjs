// The scripts of pages: modules under src/pages/browser, each bundled into one text. The modules of src/ that export
// such a text are only declared there. The build and jest put the text in their place.
const { readFileSync } = require("node:fs");
const { dirname, join, resolve } = require("node:path");
const { buildSync } = require("esbuild");

const repository = resolve(__dirname, "..");

/** What each module of src/ exports: a bundle of an entry, or the text of a file. */
exports.PAGE_SCRIPTS = {
  "report/page/script": {
    PAGE_SCRIPT: () => bundled("src/pages/browser/report/main.tsx"),
    CHART_STYLE: () => readFileSync(join(dirname(require.resolve("uplot")), "uPlot.min.css"), "utf8"),
  },
  "probe/page/script": {
    PROBE_PAGE_SCRIPT: () => bundled("src/pages/browser/probe/main.ts"),
  },
};

/** Returns the values that a module exports, by their names. */
exports.textsOf = function textsOf(module) {
  const texts = Object.entries(exports.PAGE_SCRIPTS[module]).map(([name, make]) => [name, make()]);
  return Object.fromEntries(texts);
};

function bundled(entry) {
  const { outputFiles } = buildSync({
    entryPoints: [join(repository, entry)],
    tsconfig: join(repository, "tsconfig.pages.json"),
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    write: false,
  });
  // A script element ends at its end tag, also within a string.
  return outputFiles[0].text.replaceAll("</script", "<\\/script");
}
