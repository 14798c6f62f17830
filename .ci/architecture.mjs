// Draws the rooms of .ci/rooms.cjs into docs/architecture.md, between the two markers.
//
//   node .ci/architecture.mjs           writes the picture
//   node .ci/architecture.mjs --check   fails when the picture in the page differs

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import rooms from "./rooms.cjs";

const { PACKAGES, ROOMS } = rooms;
const PAGE = new URL("../docs/architecture.md", import.meta.url);
const SRC = new URL("../src/", import.meta.url);
const START = "<!-- rooms: written by `npm run docs` -->";
const END = "<!-- /rooms -->";

/** Every room that a chain of allowed imports leads to. */
function reachable(room, seen = new Set()) {
  for (const next of ROOMS[room]) {
    if (seen.has(next)) continue;
    seen.add(next);
    reachable(next, seen);
  }
  return seen;
}

/** The imports of a room, without those that another of its imports leads to: they would hide the picture in arrows. */
function arrowsOf(room) {
  return ROOMS[room].filter((to) => !ROOMS[room].some((via) => via !== to && reachable(via).has(to)));
}

function isImported(room) {
  return Object.values(ROOMS).some((imports) => imports.includes(room));
}

function idOf(name) {
  return name.replaceAll(/[^a-z]/g, "");
}

function roomOf(path) {
  const fitting = Object.keys(ROOMS).filter((room) => path === room || path.startsWith(`${room}/`));
  return fitting.sort((a, b) => b.length - a.length)[0];
}

function shapeOf(room) {
  return isImported(room) ? `${idOf(room)}["${room}"]` : `${idOf(room)}(["${room}"])`;
}

function diagram() {
  const names = Object.keys(ROOMS);
  const arrows = names.flatMap((room) => arrowsOf(room).map((to) => `${idOf(room)} --> ${idOf(to)}`));
  const packages = Object.entries(PACKAGES).flatMap(([name, from]) => [
    `${idOf(name)}{{"${name}"}}`,
    ...new Set(from.map((path) => `${idOf(roomOf(path))} -.-> ${idOf(name)}`)),
  ]);
  return ["flowchart TD", ...[...names.map(shapeOf), ...arrows, ...packages].map((line) => `  ${line}`)];
}

/** The rooms that arrows lead to although the list does not allow the import. */
function exceptions() {
  return Object.keys(ROOMS).flatMap((room) => {
    const closed = [...reachable(room)].filter((to) => !ROOMS[room].includes(to));
    return closed.map((to) => `\`${room}\` → \`${to}\``);
  });
}

function picture() {
  const closed = exceptions();
  return [
    START,
    "",
    "```mermaid",
    ...diagram(),
    "```",
    "",
    "A room imports from every room that its arrows lead to, directly or through other rooms, and from no other.",
    ...(closed.length === 0 ? [] : [`Not allowed, although arrows lead there: ${closed.join(", ")}.`]),
    "Round boxes are entry points, which no room imports. Hexagons are packages from the registry.",
    "",
    END,
  ].join("\n");
}

function requireSoundList() {
  for (const [room, imports] of Object.entries(ROOMS)) {
    if (!existsSync(new URL(room, SRC))) throw new Error(`.ci/rooms.cjs: src/${room} does not exist`);
    const unknown = imports.find((name) => !Object.hasOwn(ROOMS, name));
    if (unknown) throw new Error(`.ci/rooms.cjs: ${room} imports from "${unknown}", which is no room`);
  }
  const circular = Object.keys(ROOMS).find((room) => reachable(room).has(room));
  if (circular) throw new Error(`.ci/rooms.cjs: the imports of ${circular} lead back to it`);
  const lost = Object.values(PACKAGES)
    .flat()
    .find((path) => roomOf(path) === undefined || !existsSync(new URL(path, SRC)));
  if (lost) throw new Error(`.ci/rooms.cjs: src/${lost} does not exist`);
}

function main() {
  const { check } = parseArgs({ options: { check: { type: "boolean" } } }).values;
  requireSoundList();
  const page = readFileSync(PAGE, "utf8");
  const [start, end] = [page.indexOf(START), page.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`docs/architecture.md lacks the marker ${START} or ${END}`);
  const drawn = page.slice(0, start) + picture() + page.slice(end + END.length);
  if (!check) writeFileSync(PAGE, drawn);
  else if (drawn !== page) {
    throw new Error("The picture in docs/architecture.md differs from .ci/rooms.cjs: run `npm run docs` and commit it");
  }
}

try {
  main();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
