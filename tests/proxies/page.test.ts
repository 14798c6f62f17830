import { execFileSync } from "node:child_process";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { expect, test } from "@jest/globals";

const REPOSITORY: string = path.resolve(__dirname, "../..");

/** Names and files of the set-ups that `npm run test:proxies` plays. */
function setups(): string[][] {
  const list = execFileSync(process.execPath, ["tests/proxies/run.mjs", "--list"], { cwd: REPOSITORY });
  return list
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
}

/** What the table's own code says to a page and a result. */
function differences(page: string, result: object): string[] {
  const script = `
    import { differences } from "./tests/proxies/suite/table.mjs";
    const { page, result } = JSON.parse(process.argv[1]);
    console.log(JSON.stringify(differences(page, [result])));`;
  const args = ["--input-type=module", "-e", script, JSON.stringify({ page, result })];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: REPOSITORY }).toString());
}

test("every file in examples/behind-* is one that the run starts a proxy with", async () => {
  const played = new Set(setups().flatMap(([, ...files]) => files));
  const examples = await fs.readdir(path.join(REPOSITORY, "examples"));
  const folders = examples.filter((name) => name.startsWith("behind-")).map((name) => `examples/${name}`);
  expect(folders.length).toBeGreaterThan(0);
  for (const folder of folders) {
    const files = (await fs.readdir(path.join(REPOSITORY, folder))).filter((name) => name !== "README.md");
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(played).toContain(`${folder}/${file}`);
  }
});

test("docs/proxies.md has a row for each set-up, and links to files that are there", async () => {
  const page = await fs.readFile(path.join(REPOSITORY, "docs/proxies.md"), "utf8");
  for (const [name, file] of setups()) expect(page).toContain(`| [${name}](../${file})`);
  const links = [...page.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, file]) => file ?? "");
  await Promise.all(links.map((file) => fs.access(path.join(REPOSITORY, file))));
});

const PAGE = [
  "| configuration | verdict | origin sees `Expect` | `100` comes from | content before the refusal | uploads stored |",
  "| --- | --- | --- | --- | --- | --- |",
];
const whole = { good: 5, of: 5 };
const claims = {
  verdict: "end to end",
  seesExpect: "yes",
  addsExpect: false,
  continueFrom: "the origin",
  sent: 0,
  ...{ uploads: whole, waiting: whole, pushed: whole, curlWaiting: whole, curlPushed: whole },
  unknown: ["417 by the app"],
  ...{ next: whole, others: whole },
};
const setup = { name: "a proxy", kind: "best", hops: [{ files: ["a.conf"] }] };
const COUNTS = "20/20 | 20/20 | 20/20 | 20/20";
const row = (verdict: string, content: string, uploads = "20/20") =>
  `| [a proxy](../a.conf) (best) | **${verdict}** | yes | the origin | ${content} | ${uploads} | ${COUNTS} | 417 by the app | 20/20 | 20/20 |`;
const pageWith = (text: string) => [...PAGE, text].join("\n");

test("a page that says what the run found passes, however often each exchange was played", () => {
  expect(differences(pageWith(row("end to end", "no")), { setup, claims })).toEqual([]);
});

test.each([
  ["another verdict", row("good", "no"), /verdict: the page says good, this run found end to end/],
  ["other behaviour", row("end to end", "yes"), /content before the refusal: the page says yes, this run found no/],
  ["losses where there are none", row("end to end", "no", "19/20"), /uploads stored: the page says not all/],
  ["nothing about it", "", /not in the table/],
])("a page that says %s is told", (_what, text, difference) => {
  expect(differences(pageWith(text), { setup, claims })).toEqual([expect.stringMatching(difference)]);
});

test("losses of this run are told where the page has none, and not where the page says that there are some", () => {
  const losing = { setup, claims: { ...claims, verdict: "avoid", uploads: { good: 4, of: 5 } } };
  expect(differences(pageWith(row("end to end", "no")), losing)).toHaveLength(2);
  expect(differences(pageWith(row("avoid", "no", "19/20")), losing)).toEqual([]);
  expect(differences(pageWith(row("avoid", "no", "19/20")), { setup, claims })).toEqual([]);
});
