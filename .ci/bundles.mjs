// The parts of a build that esbuild makes: the command line, the scripts of pages, the module for browsers, and the
// licences of the packages that are within them.
import * as fs from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { build } from "esbuild";

const { PAGE_SCRIPTS, textsOf } = createRequire(import.meta.url)("./page-scripts.cjs");
const repository = resolve(import.meta.dirname, "..");

/** Bundles the command line, with all that it needs. A command's part is loaded when the command is run. */
export async function bundleCommandLine(outdir) {
  const { metafile } = await build({
    entryPoints: ["bin", "main"].map((name) => join(repository, `src/cli/${name}.ts`)),
    outdir,
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node20.19",
    chunkNames: "[name]-[hash]",
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    metafile: true,
    plugins: [pageScripts],
  });
  return Object.keys(metafile.inputs);
}

/** The modules that export the scripts of pages, when something is bundled. */
const pageScripts = {
  name: "page-scripts",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]page[\\/]script\.ts$/ }, ({ path }) => {
      const module = Object.keys(PAGE_SCRIPTS).find((name) => path.replaceAll("\\", "/").endsWith(`/${name}.ts`));
      return module && { contents: asModule(textsOf(module)) };
    });
  },
};

/** Puts the scripts of pages into what the compiler has written for one module system, as far as it is there. */
export async function writePageScripts(folder, { isModule }) {
  for (const module of Object.keys(PAGE_SCRIPTS)) {
    const file = join(folder, `${module}.js`);
    if (
      !(await fs.access(file).then(
        () => true,
        () => false,
      ))
    )
      continue;
    await fs.writeFile(file, (isModule ? asModule : asCommonJs)(textsOf(module)));
    await fs.rm(`${file}.map`, { force: true });
  }
}

function asModule(texts) {
  return Object.entries(texts)
    .map(([name, text]) => `export const ${name} = ${JSON.stringify(text)};\n`)
    .join("");
}

function asCommonJs(texts) {
  const lines = Object.entries(texts).map(([name, text]) => `exports.${name} = ${JSON.stringify(text)};\n`);
  return `"use strict";\nObject.defineProperty(exports, "__esModule", { value: true });\n${lines.join("")}`;
}

/** Minifies the module for browsers. Pages load it as it is, and it has to be small. */
export async function minify(source, outfile) {
  const entryPoints = [join(repository, source)];
  const as = { bundle: true, minify: true, format: "esm", target: "es2022", sourcemap: true, sourcesContent: false };
  await build({ entryPoints, outfile, ...as });
}

/** Writes the licences of the packages that are bundled. They ask for it. */
export async function writeLicences(outfile, inputs) {
  const packages = new Set([...inputs, "node_modules/preact/x", "node_modules/uplot/x"].flatMap(packageOf));
  const texts = await Promise.all([...packages].sort().map(licenceOf));
  await fs.writeFile(outfile, `The command line and the pages contain these packages.\n\n${texts.join("\n")}`);
}

function packageOf(input) {
  const [, name] = /^.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input.replaceAll("\\", "/")) ?? [];
  return name === undefined ? [] : [name];
}

async function licenceOf(name) {
  const folder = join(repository, "node_modules", name);
  const { version, license } = JSON.parse(await fs.readFile(join(folder, "package.json"), "utf8"));
  const file = (await fs.readdir(folder)).find((one) => /^licen[cs]e/i.test(one));
  if (file === undefined) throw new Error(`${name} has no licence file`);
  return `${name} ${version} (${license})\n\n${await fs.readFile(join(folder, file), "utf8")}`;
}
