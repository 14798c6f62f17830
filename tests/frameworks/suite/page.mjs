// docs/frameworks.md: written from the rows of a run, and read again to compare them.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CHECKS } from "./checks.mjs";
import { RECIPES } from "./place.mjs";
import { AFTERWORD, foreword, INTRODUCTIONS } from "./prose.mjs";
import { SECTIONS } from "./sections.mjs";

const UPLOAD_COLUMNS = [
  ["stored behind a 100", ({ stored }) => stored],
  ["refused", ({ refused }) => `${refused.statuses}, ${leftText(refused)}`],
  ["cut off", ({ cutOff }) => `${cutOff.statuses}, ${leftText(cutOff)}`],
  ["error that the handler gets", ({ cutOff }) => code(cutOff.error)],
  ["client left", ({ abandoned }) => leftText(abandoned)],
  ["error", ({ abandoned }) => code(abandoned.error)],
  ["place given back", ({ next }) => next],
];

const leftText = ({ left }) => (left === 0 ? "nothing left" : "file left");
const code = (text) => (text === "" ? "none" : `\`${text}\``);
const line = (cells) => `| ${cells.join(" | ")} |`;

/** The whole page. */
export async function pageOf(rows) {
  const parts = [foreword(process.versions.node)];
  const shown = new Set();
  for (const { id } of SECTIONS) {
    const own = rows.filter(({ setup }) => setup.section === id);
    parts.push(INTRODUCTIONS[id], tableOf(id, own), ...notesOf(own));
    if (id !== "tests") parts.push(await recipesOf(own, shown, SHARED[id]));
  }
  return `${[...parts, AFTERWORD].join("\n\n")}\n`;
}

function tableOf(id, rows) {
  const titles = ["", "version", ...titlesOf(id)];
  return [titles, titles.map(() => "---"), ...rows.map(rowOf)].map(line).join("\n");
}

function titlesOf(id) {
  if (id === "tests") return ["passes"];
  return id === "uploads" ? UPLOAD_COLUMNS.map(([title]) => title) : CHECKS.map(({ title }) => title);
}

function rowOf({ name, version, cells, skipped, setup }) {
  if (skipped) return [name, `skipped: ${skipped}`, ...titlesOf(setup.section).map(() => "")];
  return [name, version, ...cellsOf(setup, cells)];
}

function cellsOf({ section, checks }, cells) {
  if (section === "uploads") return UPLOAD_COLUMNS.map(([, text]) => text(cells));
  if (section === "tests") return ["yes"];
  if (checks === "policies") return CHECKS.map((_, i) => (i === 0 ? "all policies" : ""));
  return CHECKS.map(({ id }) => cells[id] ?? "yes");
}

/** What each deviation means; the same reason once. */
function notesOf(rows) {
  const notes = new Map();
  const add = (text, name) => text && notes.set(text, [...(notes.get(text) ?? []), name]);
  for (const { setup } of rows) {
    for (const reason of new Set(Object.values(setup.deviations ?? {}))) add(reason, setup.name);
    add(setup.note, setup.name);
    add(setup.leaves, setup.name);
  }
  return notes.size === 0 ? [] : [[...notes].map(([text, names]) => `- ${names.join("; ")}: ${text}`).join("\n")];
}

/** Files that many recipes import, and what they are. */
const SHARED = {
  frameworks: ["save.mjs", "Your own code"],
  uploads: ["uploads/report.mjs", "An error handler that prints"],
};

/** The files that ran, each once on the page. */
async function recipesOf(rows, shown, shared) {
  const files = new Map(shared && [shared]);
  for (const { setup } of rows) {
    for (const file of [setup.helper, setup.recipe].filter(Boolean)) {
      if (!shown.has(file)) files.set(file, setup.name.replace(/^Express [45]/, "Express"));
      shown.add(file);
    }
  }
  const blocks = [];
  for (const [file, name] of files) {
    const text = await readFile(join(RECIPES, file), "utf8");
    blocks.push(`### ${name}: \`${file}\`\n\n\`\`\`${file.endsWith(".ts") ? "ts" : "js"}\n${text}\`\`\``);
  }
  return blocks.join("\n\n");
}

/** A page whose blocks of code are the files that they name, in `folder` of the recipes. */
export async function withFiles(page, folder) {
  const block = /(`([\w.-]+\.mjs)`[^\n]*\n\n```js\n)[\s\S]*?```/g;
  const names = [...page.matchAll(block)].map(([, , name]) => name);
  const texts = await Promise.all(names.map((name) => readFile(join(RECIPES, folder, name), "utf8")));
  return page.replaceAll(block, (_all, before) => `${before}${texts.shift()}\`\`\``);
}

/** Where the page says something else than these rows. Versions may differ; of what was skipped nothing is compared. */
export function differences(page, rows) {
  const claimed = new Map(
    page
      .split("\n")
      .filter((text) => text.startsWith("| "))
      .map((text) => text.slice(2, -2).split(" | "))
      .map(([name, , ...cells]) => [name, cells]),
  );
  return rows
    .filter(({ skipped, faults }) => !skipped && faults.length === 0)
    .flatMap(({ name, setup, cells }) => {
      const was = claimed.get(name);
      const is = cellsOf(setup, cells);
      if (!was) return [`${name}: not in the table`];
      return titlesOf(setup.section).flatMap((title, i) =>
        was[i] === is[i] ? [] : [`${name}: ${title}: the page says ${was[i]}, this run found ${is[i]}`],
      );
    });
}
