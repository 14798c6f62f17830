import * as fs from "node:fs/promises";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { transformSync } from "esbuild";
import { attach, expectations, silent } from "../../src/index.js";
import { pool } from "../helpers/clients.js";
import { Checkout, command, REPOSITORY } from "./checkout.js";
import { type Block, blocksOf, FILES, PREAMBLES } from "./page-blocks.cjs";
import { curlCommandsOf, keysOf, PAGES, page, section } from "./pages.js";

// Builds the package first.
jest.setTimeout(60_000);

const TSCONFIG = { compilerOptions: { verbatimModuleSyntax: true } };

/** Runs the programs of a page one after the other, on free ports, until all of them have ended or listen. */
const RUNNER = `import net from "node:net";
const { listen } = net.Server.prototype;
const listening = [];
net.Server.prototype.listen = function (port, ...rest) {
  listening.push(new Promise((resolve) => this.once("listening", resolve)));
  this.once("listening", () => console.log("listening on http://127.0.0.1:" + this.address().port));
  return listen.call(this, typeof port === "number" ? 0 : port, ...rest);
};
const [page, ...blocks] = process.argv.slice(2);
for (const block of blocks) {
  console.log("block " + block);
  await import("./" + page + "/" + block);
  await Promise.all(listening);
}
console.log("all of them run");
if (!process.env.STAYS) process.exit(0);
`;

let checkout: Checkout;

/** The blocks of a page that are programs, with their files. */
function programsOf(name: string): { file: string; block: Block }[] {
  // docs.test.ts runs those with a preamble against a server of its own.
  if (name in PREAMBLES || FILES.includes(name)) return [];
  return blocksOf(page(name))
    .map((block, i) => ({ file: `block-${i + 1}.${block.kind === "cjs" ? "cjs" : "mjs"}`, block }))
    .filter(({ block }) => block.kind === "program" || block.kind === "cjs");
}

const folderOf = (name: string) => name.replaceAll(/\W/g, "-");

beforeAll(async () => {
  checkout = await Checkout.make();
  await checkout.build();
  await checkout.write("pages/run.mjs", RUNNER);
  for (const name of PAGES.keys()) {
    for (const { file, block } of programsOf(name)) {
      const format = block.kind === "cjs" ? "cjs" : "esm";
      const { code } = transformSync(block.source, { loader: "ts", format, target: "node20", tsconfigRaw: TSCONFIG });
      await checkout.write(path.join("pages", folderOf(name), file), code);
    }
  }
});
afterAll(() => checkout.remove());

function run(name: string, files: readonly string[], stays = false) {
  return checkout.start(["pages/run.mjs", folderOf(name), ...files], stays ? { STAYS: "1" } : {});
}

// `npm run typecheck` compiles them.
describe("code blocks", () => {
  test("all of them run: to their end, or until they listen", async () => {
    const names = [...PAGES.keys()].filter((name) => programsOf(name).length > 0);
    expect(names.length).toBeGreaterThan(10);
    await pool(names, 3, async (name) => {
      const program = run(
        name,
        programsOf(name).map(({ file }) => file),
      );
      const code = await program.end();
      if (code !== 0 || !program.output.includes("all of them run")) throw new Error(`${name}: ${program.output}`);
    });
  });

  test("parts of programs can be parsed", () => {
    for (const [name, text] of PAGES) {
      for (const block of blocksOf(text).filter(({ kind }) => kind === "fragment")) {
        try {
          transformSync(block.code, { loader: "ts" });
        } catch (error) {
          throw new Error(`${name}, ${block.name}: ${error}`);
        }
      }
    }
  });

  test("the quick start has ten lines, and those of the recipes twelve at most", () => {
    const blocks = blocksOf(page("README.md"));
    const lengthOf = ({ code }: Block) => code.trimEnd().split("\n").length;
    const quickStart = blocks.find(({ name }) => name.endsWith("Quick start")) as Block;
    expect(lengthOf(quickStart)).toBeLessThanOrEqual(10);
    const recipes = blocks.slice(blocks.indexOf(quickStart) + 1, -1);
    expect(recipes.length).toBeGreaterThanOrEqual(4);
    for (const recipe of recipes) expect([recipe.name, lengthOf(recipe) <= 12]).toEqual([recipe.name, true]);
  });
});

describe("commands", () => {
  test.each([
    ["README.md", ["README.md", "docs/getting-started.md"], 4],
    ["docs/browsers.md", ["docs/browsers.md"], 1],
  ])("of curl print what the pages show: the first program of %s, %j", async (name, pages, count) => {
    const [first] = programsOf(name);
    const port = await run(name, [first?.file ?? ""], true).port();
    const folder = path.join(checkout.folder, "curl");
    await checkout.write("curl/photo.png", "x".repeat(20_480));
    await checkout.write("curl/huge.png", "");
    await fs.truncate(path.join(folder, "huge.png"), 100 * 2 ** 20);
    const commands = pages.flatMap((shown) => curlCommandsOf(page(shown)));
    expect(commands.length).toBeGreaterThanOrEqual(count);
    for (const { command: written, output } of commands) {
      const line = written.replace("curl", "curl --silent").replace(":3000", `:${port}`);
      const printed = await command("sh", ["-c", line], folder);
      expect({ written, output: withoutTime(printed) }).toEqual({ written, output: withoutTime(output) });
    }
  });

  test.each([
    ["probe", "docs/probe.md", "--origin URL"],
    ["report", "docs/report.md", "--follow"],
    ["upload", "docs/client.md", "--redirects N"],
  ])("show the help of %s as the program prints it", async (name, shownOn, option) => {
    const program = checkout.start(["dist/cli/bin.js", name, "--help"]);
    expect(await program.end()).toBe(0);
    expect(program.output).toContain(option);
    expect(page(shownOn)).toContain(program.output.trimEnd());
  });
});

function withoutTime(output: string): string[] {
  return output
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.replace(/^Date: .*/, "Date: now"));
}

function optionsNamedBy(call: () => unknown): string[] {
  try {
    call();
  } catch (error) {
    return /expected one of (.*?)(?: \(see .*)?$/.exec((error as Error).message)?.[1]?.split(", ") ?? [];
  }
  return [];
}

// Far from every option, so that the error lists all of them instead of the nearest.
const NO_OPTION = { "----------------------------------------": true } as object;

describe("tables", () => {
  test("name exactly the options that expectations() takes, in the README as well", () => {
    const accepted = optionsNamedBy(() => expectations(NO_OPTION)).sort();
    expect(accepted).toContain("policies");
    const table = page("docs/options.md").split("\n## ")[0] ?? "";
    expect(keysOf(table).sort()).toEqual(accepted);
    const inReadme = [...section("README.md", "Options").matchAll(/^ {2}(?:\/\/ )?(\w+):/gm)].map(([, key]) => key);
    expect(inReadme.sort()).toEqual(accepted);
  });

  test("name exactly the options that attach() takes", async () => {
    const { createServer } = await import("node:http");
    const accepted = optionsNamedBy(() => attach(createServer(), { logger: silent, ...NO_OPTION }));
    expect(accepted).toContain("lingerMs");
    expect(keysOf(section("docs/attach-and-connections.md", "Options")).sort()).toEqual(accepted.sort());
  });

  test("name exactly the keys of a log record", async () => {
    const record = await members("dist/esm/observe/record.d.ts", "RefusalRecord");
    expect(record).toContain("policy");
    const omission = await members("dist/esm/observe/sampled.d.ts", "OmissionRecord");
    expect(omission).toContain("omitted");
    expect(keysOf(page("docs/logging.md")).sort()).toEqual([...record, ...omission].sort());
  });

  test("name exactly the channels, and what their messages have", async () => {
    const sources = ["observe/diagnostics.js", "support/places.js"].map((file) =>
      fs.readFile(path.join(checkout.folder, "dist/esm", file), "utf8"),
    );
    const channels = (await Promise.all(sources)).join("\n");
    const names = [...channels.matchAll(/channel\("(express-expectations:[\w-]+)"\)/g)].map(([, name]) => name);
    const rows = [
      ...section("docs/metrics-and-tracing.md", "Channels").matchAll(
        /^\| `(express-expectations:[\w-]+)` +\| `(\w+)` +\| ([^|]*) \|/gm,
      ),
    ];
    expect(rows.map(([, channel]) => channel).sort()).toEqual(names.sort());
    const files: Record<string, string> = { LingerEndMessage: "response/linger", PlaceMessage: "support/places" };
    for (const [, channel, message = "", cell = ""] of rows) {
      const keys = [...cell.matchAll(/`(\w+)`/g)].map(([, key]) => key);
      const file = `dist/esm/${files[message] ?? "observe/record"}.d.ts`;
      expect({ channel, keys: keys.sort() }).toEqual({ channel, keys: (await members(file, message)).sort() });
    }
  });

  test("name exactly the metrics and events of express-expectations/opentelemetry", async () => {
    const sources = ["instruments.ts", "opentelemetry.ts"].map((file) =>
      fs.readFile(path.join(REPOSITORY, "src/opentelemetry", file), "utf8"),
    );
    const source = (await Promise.all(sources)).join("\n");
    const metrics = [...source.matchAll(/create\w+\("(expectation\.[\w.]+)"/g)].map(([, name]) => name);
    const outcomes = [...source.matchAll(/record\.status === 100 \? "(\w+)" : "(\w+)"/g)].flatMap(
      ([, ...names]) => names,
    );
    const events = [...source.matchAll(/addEvent\("(expectation\.\w+)"/g)].map(([, name]) => name);
    const tracing = section("docs/metrics-and-tracing.md", "Tracing");
    const rows = [...tracing.matchAll(/^\| `(expectation\.[\w.]+)` +\|/gm)].map(([, name]) => name);
    expect(metrics.length).toBeGreaterThan(0);
    expect(rows.sort()).toEqual([...metrics, ...events, ...outcomes.map((name) => `expectation.${name}`)].sort());
  });

  test("name exactly what a policy is told about an upload", async () => {
    const upload = await members("dist/esm/policies/policy.d.ts", "Upload");
    expect(upload).toContain("length");
    expect(keysOf(section("docs/writing-a-policy.md", "What a policy can ask")).sort()).toEqual(upload.sort());
  });
});

async function members(file: string, name: string): Promise<string[]> {
  const types = await fs.readFile(path.join(checkout.folder, file), "utf8");
  const body = new RegExp(`export interface ${name} \\{(.*?)^\\}`, "ms").exec(types)?.[1] ?? "";
  return [...body.matchAll(/^ {4}(?:readonly )?(\w+)[?:(]/gm)].map(([, key]) => key as string);
}

test("docs/errors.md has one section for each error code", async () => {
  const types = await fs.readFile(path.join(checkout.folder, "dist/esm/support/errors.d.ts"), "utf8");
  const codes = new Set(types.match(/"ERR_EXPECT_\w+"/g)?.map((code) => code.slice(1, -1)));
  const headings = [...page("docs/errors.md").matchAll(/^## (ERR_\w+)$/gm)].map(([, code]) => code as string);
  expect(codes.size).toBeGreaterThan(0);
  expect(headings.sort()).toEqual([...codes].sort());
});
