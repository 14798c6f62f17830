// jest's transformer: makes of TypeScript the CommonJS modules that jest runs. `npm run typecheck` checks the types.
const { createHash } = require("node:crypto");
const { transformSync, version } = require("esbuild");

const OPTIONS = {
  loader: "ts",
  format: "cjs",
  target: "node20",
  sourcemap: true,
  // Policies are logged by the names of their functions.
  keepNames: true,
  // jest runs modules in a context of their own, where `import()` works behind a flag of Node's only.
  supported: { "dynamic-import": false },
};

module.exports = {
  process(source, path) {
    const { code, map } = transformSync(source, { ...OPTIONS, sourcefile: path });
    return { code, map };
  },
  getCacheKey(source, path) {
    return createHash("sha256")
      .update([version, JSON.stringify(OPTIONS), path, source].join("\0"))
      .digest("hex");
  },
};
