import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { FINDING_CODES, SCENARIO_IDS } from "../../src/probe/finding.js";
import { closeServers } from "../helpers/servers.js";
import { runProbe } from "./command.js";
import { SERVERS } from "./docs-servers.js";
import { closePeers } from "./peer.js";

jest.setTimeout(30_000);

const PAGE = readFileSync(join(__dirname, "../../docs/417.md"), "utf8");
const PROMPT = "$ express-expectations probe ";

/** A command of the page, and what the page says comes out. */
interface Example {
  readonly command: string;
  readonly lines: readonly string[];
}

const EXAMPLES: readonly Example[] = [...PAGE.matchAll(/```text\n(.*?)\n```/gs)].map(([, block = ""]) => {
  const [command = "", ...lines] = block.split("\n");
  return { command, lines };
});

const ports = new Map<string, number>();

beforeAll(async () => {
  for (const [name, startServer] of Object.entries(SERVERS)) ports.set(name, await startServer());
});
afterAll(async () => {
  await closePeers();
  await closeServers();
});

const run = promisify(execFile);

/** The arguments as a shell makes them of the command, with ports in place of names. */
async function argumentsOf(command: string): Promise<string[]> {
  const text = command.slice(PROMPT.length).replace(/([\w-]+)\.example/g, (_, name: string) => addressOf(name));
  const { stdout } = await run("bash", ["-c", `printf '%s\\0' ${text}`]);
  return stdout.split("\0").slice(0, -1);
}

function addressOf(name: string): string {
  const port = ports.get(name);
  if (port === undefined) throw new Error(`no server ${name}`);
  return `127.0.0.1:${port}`;
}

/** Times are no part of what is compared, nor are the ports. */
function comparable(line: string): string {
  const named = [...ports].reduce(
    (text, [name, port]) => text.replaceAll(`127.0.0.1:${port}`, `${name}.example`),
    line,
  );
  return named.replace(/(after|at|for) [\d.]+ m?s/g, "$1 T").trim();
}

const codesOf = (lines: readonly string[]) =>
  lines.flatMap((line) => /^(?:error|warning|note) .*\[([\w-]+)\]/.exec(line)?.[1] ?? []).sort();

describe("docs/417.md", () => {
  test.each(EXAMPLES)("$command", async ({ command, lines }) => {
    expect(command.startsWith(PROMPT)).toBe(true);
    const { code, stdout, stderr } = await runProbe(await argumentsOf(command));
    expect(stderr).toBe("");
    const output = stdout.split("\n").map(comparable);
    const said = lines.map(comparable);
    expect(output[0]).toBe(said[0]);
    expect(code).toBe(said[0]?.startsWith("HEALTHY") ? 0 : 1);
    expect(codesOf(said)).toEqual(codesOf(output));
    // All lines are there, in this order.
    expect(inOrder(said, output)).toEqual(said);
  });

  test("runs commands, and every server that it names is one that it tells about", () => {
    expect(EXAMPLES.length).toBeGreaterThan(15);
    const used = EXAMPLES.flatMap(({ command }) => [...command.matchAll(/([\w-]+)\.example/g)].map(([, name]) => name));
    const told = [...PAGE.matchAll(/^\| `([\w-]+)\.example` \|/gm)].map(([, name]) => name);
    expect([...new Set(used)].sort()).toEqual([...told].sort());
    expect(Object.keys(SERVERS).sort()).toEqual([...told].sort());
  });

  test("has a section for each well-known trouble, and names findings that there are", () => {
    expect(PAGE.match(/^## \d\. /gm)).toHaveLength(SCENARIO_IDS.length);
    const table = /\| symptom.*?\n\n/s.exec(PAGE)?.[0] ?? "";
    const findings = [...table.matchAll(/`([\w-]+)`/g)].map(([, name]) => name);
    expect(findings.length).toBeGreaterThan(10);
    expect(findings.filter((name) => !(FINDING_CODES as readonly (string | undefined)[]).includes(name))).toEqual([]);
  });
});

/** The lines of `some` that are met one after another in `all`. */
function inOrder(some: readonly string[], all: readonly string[]): string[] {
  let from = 0;
  return some.filter((line) => {
    const at = all.indexOf(line, from);
    if (at < 0) return false;
    from = at + 1;
    return true;
  });
}
