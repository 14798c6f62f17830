// Checks the names in docs/facts.md and docs/architecture.md: their files, tests, links and commands exist, and so do the
// headings that comments cite. Prints what does not.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const read = (path) => readFileSync(join(ROOT, path), "utf8");
const page = read("docs/facts.md");
const headings = new Map([...page.matchAll(/^#{2,3} (.*)$/gm)].map(([, title]) => [title, anchorOf(title)]));
const { scripts } = JSON.parse(read("package.json"));
const faults = [];

function anchorOf(title) {
  return title
    .toLowerCase()
    .replace(/[^\w\s-]/g, "")
    .replaceAll(" ", "-");
}

function expectFile(path) {
  const exists = existsSync(join(ROOT, path));
  if (!exists) faults.push(`there is no ${path}`);
  return exists;
}

for (const [, path] of page.matchAll(/`node (\S+?\.mjs)[ `]/g)) if (!path.includes("NAME")) expectFile(path);
for (const [, name] of page.matchAll(/npm run ([\w:]+)/g))
  if (!(name in scripts)) faults.push(`there is no script ${name}`);
for (const [, link] of page.matchAll(/\]\(([^)]+)\)/g)) {
  if (!link.startsWith("#")) expectFile(join("docs", link));
  else if (![...headings.values()].includes(link.slice(1))) faults.push(`docs/facts.md: there is no heading ${link}`);
}

const architecture = read("docs/architecture.md");

// `FILE`, "NAME" and "NAME"; a name that has quotation marks itself stands in backticks.
for (const [, path, names] of `${page}\n${architecture}`.matchAll(/`(tests\/[^`]+\.test\.ts)`([^;\n]*)/g)) {
  if (!expectFile(path)) continue;
  const text = read(path);
  for (const [, quoted, marked] of names.matchAll(/"([^"]+)"|`([^`]+)`/g)) {
    const name = quoted ?? marked;
    if (!text.includes(name)) faults.push(`${path}: there is no test ${JSON.stringify(name)}`);
  }
}

for (const [, path] of architecture.matchAll(/`src\/([\w/-]+\.ts)`/g)) expectFile(`src/${path}`);
// In the walks the room stands for the folder.
for (const [, path] of architecture.matchAll(
  /`((?:guard|policies|server|response|handshake|observe|http|node)\/[\w-]+\.ts)`/g,
)) {
  expectFile(`src/${path}`);
}

for (const folder of ["src", "tests", "bench"]) {
  const files = readdirSync(join(ROOT, folder), { recursive: true }).filter((file) => /\.(ts|mjs)$/.test(file));
  for (const file of files) {
    // A citation may go on after a line break within a comment.
    const text = read(join(folder, file)).replace(/\n\s*(\/\/|\*) /g, " ");
    for (const [, heading] of text.matchAll(/docs\/facts\.md, "([^"]+)"/g)) {
      if (!headings.has(heading))
        faults.push(`${folder}/${file}: docs/facts.md has no heading ${JSON.stringify(heading)}`);
    }
  }
}

for (const fault of faults) console.log(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
