// The pages that people read, as syntax trees.
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";

export const repository = resolve(import.meta.dirname, "../..");

/** Written from the docstrings, by another tool. */
const REFERENCE = "docs/api";

function markdownIn(folder) {
  return readdirSync(join(repository, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => join(entry.parentPath, entry.name).slice(repository.length + 1))
    .filter((path) => !path.includes("node_modules"))
    .sort();
}

const ROOT = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];
const everywhere = [...ROOT, ...markdownIn("docs"), ...markdownIn("examples"), "bench/README.md"];

/** Every page with links; the API reference is among them. */
export const pages = everywhere.map(read);

/** The pages that somebody wrote. */
export const written = pages.filter(({ path }) => !path.startsWith(REFERENCE));

/** README.md and the pages of docs/, for readability. */
export const manual = written.filter(({ path }) => path === "README.md" || path.startsWith("docs/"));

function read(path) {
  const text = readFileSync(join(repository, path), "utf8");
  return { path, text, tree: fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] }) };
}

/** All nodes below a node, in the order of the text. */
export function* nodesOf(node, isSkipped = () => false) {
  if (isSkipped(node)) return;
  yield node;
  for (const child of node.children ?? []) yield* nodesOf(child, isSkipped);
}
