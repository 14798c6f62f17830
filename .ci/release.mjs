// npm run release               makes a release: version and CHANGELOG.md from the files in .changeset, commit, tag, push
// npm run release -- --dry-run  prints what it would do, and changes nothing
//
// A version that has no tag yet, such as the first one, is released as it is. The tag starts
// .github/workflows/release.yml, which runs .ci/run and publishes.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const repository = resolve(import.meta.dirname, "..");
const changelog = join(repository, "CHANGELOG.md");
const { values } = parseArgs({ options: { "dry-run": { type: "boolean", default: false } } });

const say = (text) => process.stdout.write(`${text}\n`);
const manifest = () => JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));

function run(command, ...args) {
  const stdio = ["ignore", "pipe", "inherit"];
  return execFileSync(command, args, { cwd: repository, encoding: "utf8", stdio }).trim();
}

const changes = readdirSync(join(repository, ".changeset")).filter(
  (file) => file.endsWith(".md") && file !== "README.md",
);
const isTagged = run("git", "tag", "--list", `v${manifest().version}`) !== "";

function* faults() {
  if (isTagged && changes.length === 0) yield "nothing to release: `npx changeset` adds a change";
  if (run("git", "status", "--porcelain") !== "") yield "the work tree has changes that are not committed";
  if (run("git", "branch", "--show-current") !== "main") yield "the branch is not main";
  if (manifest().repository === undefined) yield "package.json has no `repository`, which npm needs for provenance";
}

function setVersion() {
  if (isTagged) run("npx", "changeset", "version");
  const today = new Date().toISOString().slice(0, 10);
  writeFileSync(changelog, readFileSync(changelog, "utf8").replace("(unreleased)", `(${today})`));
}

function release() {
  setVersion();
  run("npm", "install", "--package-lock-only", "--no-audit", "--no-fund");
  run("npm", "run", "--silent", "docs");
  const tag = `v${manifest().version}`;
  run("git", "add", "--all");
  run("git", "commit", "--quiet", "--allow-empty", "--message", `Version ${manifest().version}`);
  run("git", "tag", "--annotate", tag, "--message", `Version ${manifest().version}`);
  run("git", "push", "--atomic", "origin", "main", tag);
  say(`${tag} is pushed. The workflow "release" checks and publishes it.`);
}

const found = [...faults()];
for (const fault of found) say(fault);
if (values["dry-run"])
  say(`${isTagged ? "a version after" : "version"} ${manifest().version}, ${changes.length} changes in .changeset`);
else if (found.length > 0) process.exitCode = 1;
else release();
