import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, test } from "@jest/globals";

const REPOSITORY: string = path.resolve(__dirname, "../..");
const RECIPES: string = path.join(__dirname, "recipes");
const read = (...names: string[]) => fs.readFileSync(path.join(...names), "utf8");

/** The blocks of a page that are the text of a file: its name, then the code. */
function blocksOf(page: string): { file: string; code: string }[] {
  const text = read(REPOSITORY, "docs", page);
  return [...text.matchAll(/`([\w./[\]-]+\.(?:mjs|js|ts))`[^\n]*\n\n```(?:js|ts)\n([\s\S]*?)```/g)].map(
    ([, file = "", code = ""]) => ({ file, code }),
  );
}

describe.each([
  ["frameworks.md", "."],
  ["testing-your-app.md", "doubles"],
])("docs/%s", (page, folder) => {
  test("shows each file as it runs", () => {
    const blocks = blocksOf(page);
    expect(blocks.length).toBeGreaterThan(5);
    for (const { file, code } of blocks) expect({ file, code }).toEqual({ file, code: read(RECIPES, folder, file) });
  });
});

test("docs/testing-your-app.md shows every test file", () => {
  const shown = blocksOf("testing-your-app.md").map(({ file }) => file);
  expect(shown.sort()).toEqual(fs.readdirSync(path.join(RECIPES, "doubles")).sort());
});

test("recipes have at most fifteen lines; those of upload libraries and runtimes beside their imports", () => {
  const all = fs.readdirSync(RECIPES, { recursive: true, encoding: "utf8" }).filter((name) => /\.\w+$/.test(name));
  const files = all.filter((name) => !name.startsWith("doubles/") && !name.includes(".test."));
  const longer = files.filter((file) => {
    const text = read(RECIPES, file).trim();
    if (!/^(?:uploads|runtimes)\//.test(file)) return text.split("\n").length > 15;
    const code = text.replaceAll(/^import [\s\S]*?;$/gm, "").split("\n");
    return code.filter((line) => line !== "").length > 15;
  });
  expect(longer).toEqual([]);
});
