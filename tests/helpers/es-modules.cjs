// For jest on Node below 24.9, which cannot load packages that are ES modules alone: they are bundled with what they
// import, as CommonJS.
const { createHash } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { buildSync } = require("esbuild");

module.exports = {
  process(_source, path) {
    const options = { bundle: true, format: "cjs", platform: "node", write: false };
    return { code: buildSync({ ...options, entryPoints: [path] }).outputFiles[0].text };
  },

  // A package may import others.
  getCacheKey(source, path) {
    const lock = readFileSync(require.resolve("../../package-lock.json"));
    return createHash("sha256").update(source).update(path).update(lock).digest("hex");
  },
};
