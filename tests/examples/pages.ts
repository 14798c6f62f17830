import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { REPOSITORY } from "./checkout.js";

/** README.md and the pages of docs/, by their paths. The reference in docs/api is written from the docstrings. */
export const PAGES: ReadonlyMap<string, string> = new Map(
  ["README.md", ...readdirSync(path.join(REPOSITORY, "docs")).map((file) => `docs/${file}`)]
    .filter((file) => file.endsWith(".md"))
    .sort()
    .map((file) => [file, readFileSync(path.join(REPOSITORY, file), "utf8")]),
);

export function page(name: string): string {
  const text = PAGES.get(name);
  if (text === undefined) throw new Error(`there is no ${name}`);
  return text;
}

/** What is below a heading of a page, up to the next one of the same level. */
export function section(name: string, heading: string): string {
  const text = page(name);
  const start = text.indexOf(`## ${heading}\n`);
  if (start < 0) throw new Error(`${name} has no section ${heading}`);
  const end = text.indexOf("\n## ", start + 1);
  return text.slice(start, end < 0 ? undefined : end);
}

/** The names in the first column of the tables in a text. */
export function keysOf(text: string): string[] {
  return [...text.matchAll(/^\| `(\w+)(?:\([^`]*\))?` +\|/gm)].map(([, key]) => key as string);
}

/** The commands of a page that call curl, each with the output that the page shows. */
export function curlCommandsOf(text: string): { command: string; output: string }[] {
  return [...text.matchAll(/^```console\n\$ (curl [^\n]*127\.0\.0\.1:3000[^\n]*)\n(.*?)^```$/gms)].map(
    ([, command = "", output = ""]) => ({ command, output: output.trimEnd() }),
  );
}
