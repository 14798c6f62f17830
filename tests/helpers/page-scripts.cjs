// For jest: modules that export the scripts of pages get their text here, as in the build.
const { createHash } = require("node:crypto");
const { readdirSync, readFileSync } = require("node:fs");
const { join, resolve } = require("node:path");
const { PAGE_SCRIPTS, textsOf } = require("../../.ci/page-scripts.cjs");

const src = resolve(__dirname, "../../src");

module.exports = {
  process(_source, path) {
    const module = Object.keys(PAGE_SCRIPTS).find((name) => path.endsWith(`${name}.ts`));
    return { code: `module.exports = ${JSON.stringify(textsOf(module))};` };
  },

  // The text depends on all modules of the page, and on modules that they share with Node's side.
  getCacheKey(source, path) {
    const hash = createHash("sha256").update(source).update(path);
    for (const folder of ["pages", "report"]) {
      for (const name of readdirSync(join(src, folder), { recursive: true }).sort()) {
        if (/\.tsx?$/.test(name)) hash.update(readFileSync(join(src, folder, name)));
      }
    }
    return hash.update(readFileSync(require.resolve("../../package-lock.json"))).digest("hex");
  },
};
