import * as fs from "node:fs/promises";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import { transformSync } from "esbuild";
import { WireClient } from "../helpers/wire.js";
import { Checkout, type Program, REPOSITORY } from "./checkout.js";
import { type Block, blocksOf } from "./page-blocks.cjs";

// Builds the package first.
jest.setTimeout(60_000);

const TSCONFIG = { compilerOptions: { verbatimModuleSyntax: true } };

/** Takes a free port, and tells which. */
const PRELOAD = `import net from "node:net";
const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (port, ...rest) {
  this.once("listening", () => console.log("listening on http://127.0.0.1:" + this.address().port));
  return listen.call(this, typeof port === "number" ? 0 : port, ...rest);
};`;

let checkout: Checkout;
let blocks: Block[];
let uploads: string;
let clients: WireClient[] = [];

beforeAll(async () => {
  blocks = blocksOf(await fs.readFile(path.join(REPOSITORY, "docs/disk-and-load.md"), "utf8"));
  checkout = await Checkout.make();
  await checkout.build();
  await checkout.write("page/preload.mjs", PRELOAD);
  uploads = path.join(checkout.folder, "uploads");
  await fs.mkdir(uploads);
});
afterEach(() => {
  for (const client of clients) client.destroy();
  clients = [];
});
afterAll(() => checkout.remove());

/** Runs the program of a block, with other values than the page has. */
async function run(block: number, values: Readonly<Record<string, string>> = {}): Promise<Program> {
  let source = blocks[block]?.source ?? "";
  for (const [written, value] of Object.entries(values)) {
    expect(source).toContain(written);
    source = source.replace(written, value);
  }
  const { code } = transformSync(source, { loader: "ts", format: "esm", target: "node20", tsconfigRaw: TSCONFIG });
  const name = `page/block-${block}-${Object.values(values).join().replaceAll(/\W/g, "") || "as-written"}.mjs`;
  await checkout.write(name, code);
  return checkout.start(["--import", "./page/preload.mjs", name]);
}

async function ask(program: Program, length: number): Promise<WireClient> {
  const wire = await WireClient.connect(await program.port());
  clients.push(wire);
  wire.send(`PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`);
  await wire.until("an answer", () => wire.statuses.length > 0);
  return wire;
}

test("the page has two programs", () => {
  expect(blocks).toHaveLength(2);
});

test("the first program stores what there is room for", async () => {
  const program = await run(0, { "/srv/uploads": uploads, "5gb": "1mb" });
  const wire = await ask(program, 5);
  wire.send("hello");
  expect(await wire.final()).toMatchObject({ status: 201, body: "stored\n" });
  expect(wire.statuses).toEqual([100, 201]);
  const files = await fs.readdir(uploads);
  expect(await Promise.all(files.map((file) => fs.readFile(path.join(uploads, file), "utf8")))).toEqual(["hello"]);
});

test("the first program refuses what there is no room for, as the page says", async () => {
  const wire = await ask(await run(0, { "/srv/uploads": uploads, "5gb": "8000tb" }), 5);
  await wire.final();
  const page = await fs.readFile(path.join(REPOSITORY, "docs/disk-and-load.md"), "utf8");
  const shown = /```text\n(HTTP.*?)```/s.exec(page)?.[1]?.trimEnd().split("\n") ?? [];
  expect(shown).toHaveLength(3);
  expect(wire.text.split("\r\n")).toEqual(expect.arrayContaining(shown));
});

test("the first program refuses while the folder is not there", async () => {
  const wire = await ask(await run(0, { "/srv/uploads": path.join(uploads, "none") }), 5);
  expect(await wire.final()).toMatchObject({ status: 503, headers: { "retry-after": "10" } });
});

test("the second program runs", async () => {
  const program = await run(1);
  expect({ code: await program.end(), output: program.output }).toEqual({ code: 0, output: "" });
});
