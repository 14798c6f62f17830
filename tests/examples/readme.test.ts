import * as fs from "node:fs/promises";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { transformSync } from "esbuild";
import { attach, expectations, silent } from "../../src/index.js";
import { pool } from "../helpers/clients.js";
import { WireClient } from "../helpers/wire.js";
import { Checkout, REPOSITORY } from "./checkout.js";
import { type Block, blocksOf } from "./readme-blocks.cjs";

// Builds the package first.
jest.setTimeout(60_000);

const TSCONFIG = { compilerOptions: { verbatimModuleSyntax: true } };

/** Tells the port of a server that a block starts, and takes a free one. */
const PRELOAD = `import net from "node:net";
const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (port, ...rest) {
  this.once("listening", () => console.log("listening on http://127.0.0.1:" + this.address().port));
  return listen.call(this, typeof port === "number" ? 0 : port, ...rest);
};`;

let readme: string;
let blocks: Block[];
let checkout: Checkout;
let clients: WireClient[] = [];

function section(heading: string): string {
  const start = readme.indexOf(`## ${heading}\n`);
  if (start < 0) throw new Error(`the README has no section ${heading}`);
  const end = readme.indexOf("\n## ", start + 1);
  return readme.slice(start, end < 0 ? undefined : end);
}

/** The first column of the first table in a section. */
function keysOf(heading: string): string[] {
  return [...section(heading).matchAll(/^\| `(\w+)` +\|/gm)].map(([, key]) => key as string);
}

function optionsNamedBy(call: () => unknown): string[] {
  try {
    call();
  } catch (error) {
    return /expected one of (.*)$/.exec((error as Error).message)?.[1]?.split(", ") ?? [];
  }
  return [];
}

// Far from every option, so that the error lists all of them instead of the nearest.
const NO_OPTION = { "----------------------------------------": true } as object;

beforeAll(async () => {
  readme = await fs.readFile(path.join(REPOSITORY, "README.md"), "utf8");
  blocks = blocksOf(readme);
  checkout = await Checkout.make();
  await checkout.build();
  await checkout.write("readme/preload.mjs", PRELOAD);
  for (const [i, { source }] of blocks.entries()) {
    const { code } = transformSync(source, { loader: "ts", format: "esm", target: "node20", tsconfigRaw: TSCONFIG });
    await checkout.write(`readme/block-${i + 1}.mjs`, code);
  }
});
afterEach(() => {
  for (const client of clients) client.destroy();
  clients = [];
});
afterAll(() => checkout.remove());

function run(block: number) {
  return checkout.start(["--import", "./readme/preload.mjs", `readme/block-${block}.mjs`]);
}

// `npm run typecheck` compiles them.
describe("code blocks", () => {
  test("all of them are found", () => {
    expect(blocks.length).toBe(readme.match(/^```(ts|js)$/gm)?.length);
    expect(blocks.length).toBeGreaterThan(12);
  });

  test("all of them run: to their end, or until they listen", async () => {
    const numbers = blocks.map((_, i) => i + 1);
    const listens = (number: number) => blocks[number - 1]?.source.includes(".listen(") === true;
    // Those that end share a process: what it printed last is the block that failed.
    const ending = numbers.filter((number) => !listens(number));
    const lines = ending.map((number) => `console.log("block ${number}"); await import("./block-${number}.mjs");`);
    await checkout.write("readme/ending.mjs", lines.join("\n"));
    const together = checkout.start(["readme/ending.mjs"]);
    await pool(numbers.filter(listens), 3, async (number) => {
      const program = run(number);
      await program.port();
      await program.stop();
    });
    if ((await together.end()) !== 0) throw new Error(together.output);
    expect(together.output).toContain(`block ${ending.at(-1)}\n`);
  });

  test("the quick start accepts and refuses as the README says, in ten lines at most", async () => {
    const at = blocks.findIndex(({ name }) => name.endsWith("Quick start"));
    expect(blocks[at]?.source.replace("\nexport {};\n", "").trimEnd().split("\n").length).toBeLessThanOrEqual(10);
    const port = await run(at + 1).port();
    const head = "PUT /images/1 HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Type: image/png\r\n";

    const accepted = await client(port);
    accepted.send(`${head}Content-Length: 5\r\n\r\n`);
    await accepted.status(100);
    accepted.send("image");
    expect(await accepted.final()).toMatchObject({ status: 201, body: "5 bytes\n" });
    expect(accepted.statuses).toEqual([100, 201]);

    const refused = await client(port);
    refused.send(`${head}Content-Length: 10485761\r\n\r\n`);
    expect(await refused.final()).toMatchObject({ status: 413, headers: { connection: "close" } });
    expect(refused.statuses).toEqual([413]);
  });
});

async function client(port: number): Promise<WireClient> {
  const wire = await WireClient.connect(port);
  clients.push(wire);
  return wire;
}

describe("tables", () => {
  test("name exactly the options that expectations() takes", () => {
    const accepted = optionsNamedBy(() => expectations(NO_OPTION));
    expect(accepted).toContain("policies");
    expect(keysOf("Options of `expectations`").sort()).toEqual(accepted.sort());
  });

  test("name exactly the options that attach() takes", async () => {
    const { createServer } = await import("node:http");
    const accepted = optionsNamedBy(() => attach(createServer(), { logger: silent, ...NO_OPTION }));
    expect(accepted).toContain("lingerMs");
    expect(keysOf("Options of `attach`").sort()).toEqual(accepted.sort());
  });

  test("name exactly the keys of a log record", async () => {
    const record = await members("dist/esm/observe/record.d.ts", "RefusalRecord");
    expect(record).toContain("policy");
    const omission = await members("dist/esm/observe/sampled.d.ts", "OmissionRecord");
    expect(omission).toContain("omitted");
    expect(keysOf("Logging").sort()).toEqual([...record, ...omission].sort());
  });

  test("name exactly the channels, and what their messages have", async () => {
    const channels = await fs.readFile(path.join(checkout.folder, "dist/esm/observe/diagnostics.js"), "utf8");
    const names = [...channels.matchAll(/channel\("(express-expectations:[\w-]+)"\)/g)].map(([, name]) => name);
    const rows = [
      ...section("Diagnostics").matchAll(/^\| `(express-expectations:[\w-]+)` +\| `(\w+)` +\| ([^|]*) \|/gm),
    ];
    expect(rows.map(([, channel]) => channel).sort()).toEqual(names.sort());
    for (const [, channel, message = "", cell = ""] of rows) {
      const file = message === "LingerEndMessage" ? "response/linger" : "observe/record";
      const keys = [...cell.matchAll(/`(\w+)`/g)].map(([, key]) => key);
      expect({ channel, keys: keys.sort() }).toEqual({
        channel,
        keys: (await members(`dist/esm/${file}.d.ts`, message)).sort(),
      });
    }
  });

  test("name exactly the metrics and events of the OpenTelemetry example", async () => {
    const source = await fs.readFile(
      path.join(REPOSITORY, "examples/opentelemetry/expectations-telemetry.mjs"),
      "utf8",
    );
    const metrics = [...source.matchAll(/create\w+\("(expectation\.[\w.]+)"/g)].map(([, name]) => name);
    const outcomes = [...source.matchAll(/record\.status === 100 \? "(\w+)" : "(\w+)"/g)].flatMap(
      ([, ...names]) => names,
    );
    const events = [...source.matchAll(/addEvent\("(expectation\.\w+)"/g)].map(([, name]) => name);
    const rows = [...section("Tracing").matchAll(/^\| `(expectation\.[\w.]+)` +\|/gm)].map(([, name]) => name);
    expect(metrics.length).toBeGreaterThan(0);
    expect(rows.sort()).toEqual([...metrics, ...events, ...outcomes.map((name) => `expectation.${name}`)].sort());
  });

  test("name exactly what a policy is told about an upload", async () => {
    const upload = await members("dist/esm/policies/policy.d.ts", "Upload");
    expect(upload).toContain("length");
    const table = [...section("Policies").matchAll(/^\| `(\w+)(?:\([^`]*\))?` +\|/gm)].map(([, key]) => key as string);
    expect(table.sort()).toEqual(upload.sort());
  });
});

async function members(file: string, name: string): Promise<string[]> {
  const types = await fs.readFile(path.join(checkout.folder, file), "utf8");
  const body = new RegExp(`export interface ${name} \\{(.*?)^\\}`, "ms").exec(types)?.[1] ?? "";
  return [...body.matchAll(/^ {4}(?:readonly )?(\w+)[?:(]/gm)].map(([, key]) => key as string);
}

test("has one section for each error code", async () => {
  const types = await fs.readFile(path.join(checkout.folder, "dist/esm/support/errors.d.ts"), "utf8");
  const codes = new Set(types.match(/"ERR_EXPECT_\w+"/g)?.map((code) => code.slice(1, -1)));
  const headings = [...readme.matchAll(/^### `(ERR_\w+)`$/gm)].map(([, code]) => code as string);
  expect(codes.size).toBeGreaterThan(0);
  expect(headings.sort()).toEqual([...codes].sort());
});

test("shows the help of probe as the program prints it", async () => {
  const program = checkout.start(["dist/esm/cli/bin.js", "probe", "--help"]);
  expect(await program.end()).toBe(0);
  expect(program.output).toContain("--via URL");
  expect(readme).toContain(program.output.trimEnd());
});

test("has no link to a file or heading that does not exist", async () => {
  const anchors = new Set(
    [...readme.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\w\s-]/g, "")
        .trim()
        .replace(/\s/g, "-"),
    ),
  );
  for (const [, target = ""] of readme.matchAll(/\]\((?!http)([^)]+)\)/g)) {
    if (target.startsWith("#")) expect(anchors).toContain(target.slice(1));
    else await fs.access(path.join(REPOSITORY, target));
  }
});
