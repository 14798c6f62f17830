import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect } from "@jest/globals";
import { expectations, maxSize, type Policy, refuse, silent } from "../../src/index.js";
import { pool, run, testUnless, whyMissing } from "../helpers/clients.js";
import { closeServers, type Handler, startAttached, store } from "../helpers/servers.js";

const RUNS = Number(process.env.LOST_REFUSALS_RUNS ?? 10);
const PARALLEL = 4;
const MIB = 2 ** 20;
const SIZE = 16 * MIB;
const DEADLINE_MS = 20_000 + RUNS * 1_000;

type Framing = "length" | "chunked";

/** What a client saw of one upload. */
interface Exchange {
  readonly status?: number;
  readonly error?: string;
}

interface Client {
  readonly name: string;
  /** Why it cannot be run here. */
  readonly missing: string | undefined;
  push(url: string, framing: Framing): Promise<Exchange[]>;
}

let folder: string;
let file: string;
let goProgram: string;

const goMissing = whyMissing("go", "version");

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "expectations-push-"));
  file = join(folder, "content");
  goProgram = join(folder, "push");
  writeFileSync(file, Buffer.alloc(SIZE, "x"));
  if (goMissing) return;
  const built = spawnSync("go", ["build", "-o", goProgram, join(__dirname, "push.go")], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`go build: ${built.stderr}`);
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(closeServers);

async function pushBy(command: string, before: readonly string[], url: string, framing: Framing): Promise<Exchange[]> {
  const { stdout, stderr } = await run(
    command,
    [...before, url, framing, String(SIZE), String(RUNS), String(PARALLEL)],
    DEADLINE_MS,
  );
  if (stderr !== "") throw new Error(stderr);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Exchange);
}

async function pushByCurl(url: string, framing: Framing): Promise<Exchange> {
  const args = ["-q", "--noproxy", "*", "-sS", "-o", join(folder, "body"), "-w", "%{http_code}", "-H", "Expect:"];
  if (framing === "chunked") args.push("-H", "Transfer-Encoding: chunked");
  const { code, stdout, stderr } = await run("curl", [...args, "-T", file, url], DEADLINE_MS);
  return code === 0 ? { status: Number(stdout) } : { error: `exit ${code}: ${stderr.trim()}` };
}

const CLIENTS: Client[] = [
  {
    name: "node http.request",
    missing: undefined,
    push: (url, framing) => pushBy(process.execPath, [join(__dirname, "push.mjs"), "http"], url, framing),
  },
  {
    name: "a raw socket",
    missing: undefined,
    push: (url, framing) => pushBy(process.execPath, [join(__dirname, "push.mjs"), "net"], url, framing),
  },
  { name: "Go", missing: goMissing, push: (url, framing) => pushBy(goProgram, [], url, framing) },
  {
    name: "Python http.client",
    missing: whyMissing("python3", "--version"),
    push: (url, framing) => pushBy("python3", [join(__dirname, "push.py")], url, framing),
  },
  {
    name: "curl",
    missing: whyMissing("curl", "--version"),
    push: (url, framing) => pool(Array(RUNS).fill(url), PARALLEL, () => pushByCurl(url, framing)),
  },
];

const isPushed: boolean[] = [];
const late: Policy = async (_req, upload) => {
  await setTimeout(300);
  isPushed.push(upload.expectation === undefined && upload.received > 0);
  return refuse(403);
};

const CASES: { when: string; framing: Framing; policy: Policy; status: number }[] = [
  { when: "at once", framing: "length", policy: () => refuse(403), status: 403 },
  { when: "after a verdict of 300 ms", framing: "length", policy: late, status: 403 },
  { when: "in the middle of a chunked body", framing: "chunked", policy: maxSize(MIB), status: 413 },
  {
    when: "in the middle of a body of known length",
    framing: "length",
    policy: (_req, upload) => {
      upload.limitBytes(MIB, refuse(413));
      return true;
    },
    status: 413,
  },
];

describe.each(CLIENTS)("$name, which pushes 16 MiB without waiting", ({ missing, push }) => {
  const test = testUnless(missing);

  test.each(CASES)(
    `sees each of ${RUNS} refusals $when`,
    async ({ framing, policy, status }) => {
      const guard = expectations({ logger: silent, policies: [policy] }) as Handler;
      const parts = { use: [guard], routes: { "/files": store } };
      const { port } = await startAttached("node:http", parts, { logger: silent });
      isPushed.length = 0;
      const seen = await push(`http://127.0.0.1:${port}/files`, framing);
      expect(seen).toEqual(Array(RUNS).fill({ status }));
      if (policy === late) expect(isPushed).toEqual(Array(RUNS).fill(true));
    },
    DEADLINE_MS + 5_000,
  );
});
