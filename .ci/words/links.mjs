// Links: each file and each anchor exists, in the repository and in the packed tarball.
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import GithubSlugger from "github-slugger";
import { toString as textOf } from "mdast-util-to-string";
import { nodesOf, pages, repository } from "./pages.mjs";

const { files } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
const isPacked = (path) => files.some((entry) => path === entry || path.startsWith(`${entry}/`));
/** What only people with a clone of the repository need. Packed pages may link to it. */
const REPOSITORY_ONLY = ["bench", "tests", "CONTRIBUTING.md"];

const anchors = new Map(pages.map(({ path, tree }) => [path, anchorsOf(tree)]));

function anchorsOf(tree) {
  const slugger = new GithubSlugger();
  const found = new Set();
  for (const node of nodesOf(tree)) {
    if (node.type === "heading") found.add(slugger.slug(textOf(node)));
    if (node.type === "html") for (const [, id] of node.value.matchAll(/\b(?:id|name)="([^"]+)"/g)) found.add(id);
  }
  return found;
}

function* targetsOf(tree) {
  for (const node of nodesOf(tree)) {
    if (["link", "image", "definition"].includes(node.type)) yield { target: node.url, line: node.position.start.line };
    if (node.type !== "html") continue;
    for (const [, target] of node.value.matchAll(/\b(?:href|src|srcset)="([^"]+)"/g))
      yield { target, line: node.position.start.line };
  }
}

function faultOf(page, target) {
  if (/^[a-z]+:/i.test(target)) return undefined;
  const [file, anchor] = target.split("#");
  const path = file === "" ? page : normalize(join(dirname(page), decodeURI(file))).replace(/\/$/, "");
  if (!existsSync(join(repository, path))) return "there is no such file";
  if (isPacked(page) && !isPacked(path) && !REPOSITORY_ONLY.some((only) => `${path}/`.startsWith(`${only}/`)))
    return "not in the packed tarball";
  if (anchor === undefined) return undefined;
  if (statSync(join(repository, path)).isDirectory()) return "a folder has no headings";
  return anchors.get(path)?.has(anchor) ? undefined : "there is no such heading";
}

export function linkFaults() {
  return pages.flatMap(({ path, tree }) =>
    [...targetsOf(tree)].flatMap(({ target, line }) => {
      const fault = faultOf(path, target);
      return fault ? [`${path}:${line}: ${target}: ${fault}`] : [];
    }),
  );
}
