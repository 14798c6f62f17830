// Writes docs/api/, the reference of everything that the package exports, from the docstrings.
//
//   node .ci/reference.mjs            writes it
//   node .ci/reference.mjs --check    fails if it differs from what the source says
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import GithubSlugger from "github-slugger";
import { Application, LogLevel } from "typedoc";

const repository = resolve(import.meta.dirname, "..");
const folder = join(repository, "docs/api");
const { name, exports: exported } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });

// Each entry of package.json by its source.
const entries = new Map(
  Object.entries(exported)
    .map(([path, target]) => [path, target.import?.types ?? target.types])
    .filter(([, types]) => types !== undefined)
    .map(([path, types]) => [
      join(repository, types.replace(/^\.\/dist\/(?:esm\/)?/, "src/").replace(/\.d\.ts$/, ".ts")),
      path === "." ? "index" : path.slice("./".length),
    ]),
);

async function write(out) {
  const app = await Application.bootstrapWithPlugins({
    entryPoints: [...entries.keys()],
    tsconfig: join(import.meta.dirname, "reference.tsconfig.json"),
    out,
    plugin: ["typedoc-plugin-markdown"],
    router: "module",
    name,
    readme: "none",
    logLevel: LogLevel.Error,
    skipErrorChecking: true,
    hideBreadcrumbs: true,
    hidePageHeader: true,
    disableSources: true,
    excludeInternal: true,
    excludeExternals: true,
    parametersFormat: "table",
    interfacePropertiesFormat: "table",
    typeAliasPropertiesFormat: "table",
    pageTitleTemplates: {
      index: "API reference",
      module: (page) => (page.name === "index" ? name : `${name}/${page.name}`),
    },
    cleanOutputDir: true,
  });
  const project = await app.convert();
  if (!project) throw new Error("typedoc found nothing");
  // A module has the name of its entry, and not that of its file.
  for (const module of project.children ?? []) module.name = nameOf(module.name);
  await app.generateOutputs(project);
  for (const [file, text] of filesIn(out)) writeFileSync(join(out, file), withAnchors(text));
}

// The plugin counts headings of the same name otherwise than GitHub.
function withAnchors(text) {
  const slugger = new GithubSlugger();
  const anchors = new Set([...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => slugger.slug(heading)));
  return text.replace(/\]\(#([\w-]+?)-(\d+)\)/g, (link, name, number) => {
    for (let i = Number(number); i > 0; i--) if (anchors.has(`${name}-${i}`)) return `](#${name}-${i})`;
    return anchors.has(name) ? `](#${name})` : link;
  });
}

function nameOf(path) {
  for (const [source, entry] of entries) if (source.endsWith(`/${path}.ts`)) return entry;
  throw new Error(`${path} is no entry of the package`);
}

const filesIn = (path) =>
  new Map(
    readdirSync(path, { recursive: true })
      .filter((file) => file.endsWith(".md"))
      .sort()
      .map((file) => [file, readFileSync(join(path, file), "utf8")]),
  );

if (!values.check) await write(folder);
else {
  const fresh = mkdtempSync(join(tmpdir(), "reference-"));
  try {
    await write(fresh);
    if (JSON.stringify([...filesIn(fresh)]) !== JSON.stringify([...filesIn(folder)])) {
      process.stdout.write("docs/api/ differs from the docstrings: run `npm run docs` and commit it\n");
      process.exitCode = 1;
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}
