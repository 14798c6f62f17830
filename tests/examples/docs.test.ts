import * as fs from "node:fs/promises";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { transformSync } from "esbuild";
import { helpOf } from "../../src/cli/help.js";
import { UPLOAD } from "../../src/cli/upload/description.js";
import { upload } from "../../src/client/client.js";
import { attach, silent } from "../../src/index.js";
import { BEHAVIOURS } from "../../src/testing/misbehave/behaviours.js";
import { BEHAVIOUR_NAMES, handshake } from "../../src/testing/testing.js";
import { pool } from "../helpers/clients.js";
import { closeServers, listen, makeServer } from "../helpers/servers.js";
import { Checkout, REPOSITORY } from "./checkout.js";
import { type Block, blocksOf, PREAMBLES } from "./page-blocks.cjs";

// The pages for users: docs/client.md and docs/testing.md. The others have pages.test.ts. Builds the package first.
jest.setTimeout(60_000);

const pages: Record<"client" | "testing", string> = { client: "", testing: "" };
let checkout: Checkout;
let port: number;

beforeAll(async () => {
  for (const page of ["client", "testing"] as const) {
    pages[page] = await fs.readFile(path.join(REPOSITORY, `docs/${page}.md`), "utf8");
  }
  checkout = await Checkout.make();
  await checkout.build();
  await checkout.write("pages/photo.png", "picture");
  const server = makeServer("node:http", {
    use: [
      (req, res) => {
        if (req.headers.authorization === undefined && req.url === "/images/1") {
          return void res.writeHead(401, { "WWW-Authenticate": "Bearer" }).end();
        }
        req.resume().on("data", () => {});
        req.on("end", () => res.writeHead(201).end());
      },
    ],
  });
  ({ port } = await listen(attach(server, { logger: silent })));
});
afterAll(async () => {
  await closeServers();
  await checkout.remove();
});

/** Jest's and vitest's blocks are compiled only: examples/testing has the same, which those runners run. */
const isRunnable = ({ source }: Block) => !/from "(vitest|@jest\/globals)"/.test(source);

test.concurrent.each(["client", "testing"] as const)("every program of docs/%s.md runs to its end", async (page) => {
  const blocks = blocksOf(pages[page], PREAMBLES[`docs/${page}.md`]);
  expect(blocks.length).toBeGreaterThan(4);
  await pool([...blocks.entries()], 2, async ([i, block]) => {
    if (!isRunnable(block)) return;
    const source = block.source.replaceAll("127.0.0.1:3000", `127.0.0.1:${port}`);
    const tsconfigRaw = { compilerOptions: { verbatimModuleSyntax: true } };
    const { code } = transformSync(source, { loader: "ts", format: "esm", target: "node20", tsconfigRaw });
    await checkout.write(`pages/${page}-${i}.mjs`, `process.chdir(import.meta.dirname);\n${code}`);
    const program = checkout.start([`pages/${page}-${i}.mjs`], { NODE_TEST_CONTEXT: undefined });
    const exitCode = await program.end();
    if (exitCode !== 0) throw new Error(`block ${block.name}:\n${program.output}`);
    const [, said] = /console\.log\(.*\);? \/\/ (.*)$/m.exec(source) ?? [];
    if (said) expect(program.output).toContain(said);
  });
});

/** The first column of the table behind a heading. */
function keysOf(page: "client" | "testing", heading: string): string[] {
  const start = pages[page].indexOf(`## ${heading}\n`);
  expect(start).toBeGreaterThan(0);
  const end = pages[page].indexOf("\n## ", start + 1);
  const section = pages[page].slice(start, end < 0 ? undefined : end);
  return [...section.matchAll(/^\| `([\w-]+)(?:\([^`]*\))?`(?:, `[^`]*`)? +\|/gm)]
    .map(([, key]) => key as string)
    .sort();
}

async function optionsNamedBy(call: () => unknown): Promise<string[]> {
  const { message } = await Promise.resolve()
    .then(call)
    .then(
      () => new Error("not refused"),
      (error: Error) => error,
    );
  return /expected one of (.*)$/.exec(message)?.[1]?.split(", ").sort() ?? [];
}

/** The members of an interface in a declaration file. */
async function members(file: string, name: string): Promise<string[]> {
  const types = await fs.readFile(path.join(checkout.folder, file), "utf8");
  const body = new RegExp(`export (?:declare class|interface) ${name}[^{]* \\{(.*?)^\\}`, "ms").exec(types)?.[1] ?? "";
  return [...body.matchAll(/^ {4}(?:readonly )?(\w+)[?:(]/gm)].map(([, key]) => key as string).sort();
}

// Far from every option, so that the error lists all of them instead of the nearest.
const NO_OPTION = { "----------------------------------------": true } as object;

describe("docs/client.md names exactly", () => {
  test("the options that upload() takes", async () => {
    expect(keysOf("client", "Options")).toEqual(await optionsNamedBy(() => upload("http://a", NO_OPTION)));
  });

  test("what a result has", async () => {
    expect(keysOf("client", "Result")).toEqual(await members("dist/esm/client/options.d.ts", "UploadResult"));
  });

  test("the codes of errors", async () => {
    const types = await fs.readFile(path.join(checkout.folder, "dist/esm/client/error.d.ts"), "utf8");
    const codes = [...new Set(types.match(/ERR_UPLOAD_\w+/g))].sort();
    expect(codes.length).toBeGreaterThan(4);
    expect(keysOf("client", "Errors")).toEqual(codes);
  });

  test("the help of the command", () => {
    expect(pages.client).toContain(helpOf(UPLOAD).trimEnd());
  });
});

describe("docs/testing.md names exactly", () => {
  test("the options that handshake() takes", async () => {
    expect(keysOf("testing", "What is tested")).toEqual(await optionsNamedBy(() => handshake("http://a", NO_OPTION)));
  });

  test("what a request can be told", async () => {
    const methods = await members("dist/esm/testing/test.d.ts", "HandshakeTest");
    expect(keysOf("testing", "What is sent")).toEqual(
      methods.filter((name) => name !== "then" && name !== "constructor"),
    );
  });

  test("what an answer has", async () => {
    expect(keysOf("testing", "What comes back")).toEqual(
      await members("dist/esm/testing/answer.d.ts", "HandshakeAnswer"),
    );
  });

  test("the servers that misbehave, as the source describes them", async () => {
    expect(keysOf("testing", "Servers that misbehave")).toEqual([...BEHAVIOUR_NAMES].sort());
    expect(Object.keys(BEHAVIOURS).sort()).toEqual([...BEHAVIOUR_NAMES].sort());
    const folder = path.join(REPOSITORY, "src/testing/misbehave");
    const read = (name: string) => fs.readFile(path.join(folder, name), "utf8");
    const source = `${await read("behaviours.ts")}\n${await read("answers.ts")}`;
    for (const [, text, quoted, bare] of source.matchAll(/^ {2}\/\*\* (.*)\. \*\/\n {2}(?:"([\w-]+)"|(\w+)):/gm)) {
      const described = `${text?.[0]?.toLowerCase()}${text?.slice(1)}`;
      expect(pages.testing).toContain(`| \`${quoted ?? bare}\` | ${described} |`);
    }
  });
});
