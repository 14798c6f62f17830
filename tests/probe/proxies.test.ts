// Real proxies before an attached server: the probe finds of each what docs/proxies.md says.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as http from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { expectations, maxSize, type Policy, refuse, silent } from "../../src/index.js";
import type { Finding } from "../../src/probe/finding.js";
import type { ProbeResult } from "../../src/probe/result.js";
import { admission } from "../../src/proxies/admission.js";
import { testUnless } from "../helpers/clients.js";
import { closeServers, listen, startAttached, store } from "../helpers/servers.js";
import { probeJson } from "./command.js";

const DEADLINE_MS = 60_000;
const STARTER = join(__dirname, "proxies-start.mjs");

/** A set-up of proxies-start.mjs. */
interface SetUp {
  readonly name: string;
  readonly program: string;
  readonly isBest: boolean;
  /** Cells of docs/proxies.md. */
  readonly claims: Readonly<Record<Column, string>>;
  readonly missing?: string;
}
type Column = "`100` comes from" | "next request, same connection" | "unknown expectation";

const SET_UPS = (JSON.parse(execFileSync(process.execPath, [STARTER, "--list"], { encoding: "utf8" })) as SetUp[])
  // What firewalls forbid is no matter of the handshake: verdicts.test.ts.
  .filter(({ program }) => program !== "ModSecurity");

/** Uploads to the first are accepted up to a size, those to the other are refused. */
const PATHS = ["/upload", "/refused"] as const;
type Path = (typeof PATHS)[number];

/** What the page speaks of: nothing of HTTP/1.0, odd values of `Expect` and resets, and no long wait. */
const ONLY = "plain,control,withheld,sent,large,chunked,unknown,list,case";

/** What the whole run finds in the best configurations, of which the page does not speak. */
const BESIDES: Readonly<Record<string, readonly string[]>> = {
  // Squid asks the origin in HTTP/1.1, and passes its 100 on to HTTP/1.0.
  Squid: ["continue-to-http10"],
};

/** No field and no word of theirs gives them away: without the second URL, nothing says that there is a proxy. */
const UNSEEN = new Set(["HAProxy"]);

let ports: { readonly origin: number; readonly nginx: number; readonly verbatim: number };

beforeAll(async () => {
  const refusing: Policy = (req) => (req.url === "/refused" ? refuse(415) : true);
  const policies = [refusing, maxSize("2mb")];
  const routes = { "/upload": store, "/refused": store };
  const use = [expectations({ policies, logger: silent })];
  const asked = (statuses: "nginx" | "verbatim") =>
    listen(http.createServer(admission({ trustProxy: "loopback", policies, statuses, logger: silent })));
  const started = [startAttached("node:http", { use, routes }, { logger: silent }), asked("nginx"), asked("verbatim")];
  const [origin = 0, nginx = 0, verbatim = 0] = (await Promise.all(started)).map(({ port }) => port);
  ports = { origin, nginx, verbatim };
});
afterAll(closeServers);

/** Runs the proxy in a process of its own while `use` is under way. */
async function behind({ name }: SetUp, use: (port: number) => Promise<void>): Promise<void> {
  const args = [STARTER, name, ...[ports.origin, ports.nginx, ports.verbatim].map(String)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe"] });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const exited = once(child, "exit");
  try {
    const first = await Promise.race([once(child.stdout, "data"), exited]);
    const port = Number(String(first[0]));
    if (child.exitCode !== null || !(port > 0)) throw new Error(`${name} does not start: ${errors}`);
    await use(port);
  } finally {
    child.stdin.end();
    await exited;
  }
}

/** Codes that the page makes certain. */
function foretold({ claims, program }: SetUp, path: Path, hasVia: boolean): string[] {
  const isRefused = path === "/refused";
  switch (claims["`100` comes from"]) {
    case "the proxy, at once":
      // Those that name themselves are known to do so.
      if (hasVia || !UNSEEN.has(program)) return ["proxy-continue"];
      // One upload that is accepted looks the same behind it, and without it.
      return isRefused ? ["refusal-after-body"] : [];
    case "both":
      return isRefused ? [hasVia ? "proxy-continue" : "blind-continue"] : ["double-continue"];
    case "the origin":
    case "the proxy, after a yes":
      return isAll(claims["next request, same connection"]) ? [] : ["kept-417", "kept-final"];
    default:
      throw new Error(`the page says something new: ${claims["`100` comes from"]}`);
  }
}

/**
 * Which of a proxy's own 100 and the origin's answer comes first is a matter of chance where it waits for neither. Now
 * and then (once in some thousand uploads) Caddy 2.6 writes a 100 behind the final response, or into its chunks.
 */
const RACING = [
  "proxy-continue",
  "blind-continue",
  "double-continue",
  "continue-after-final",
  "refusal-after-body",
  "malformed",
];

function isAll(count: string): boolean {
  const [good, of] = count.split("/");
  return good === of;
}

const serious = ({ findings }: ProbeResult): Finding[] => findings.filter(({ severity }) => severity !== "note");
const codes = (findings: readonly Finding[]) => findings.map(({ code }) => code).sort();

function expectTold(setUp: SetUp, path: Path, hasVia: boolean, result: ProbeResult, besides: readonly string[]): void {
  const found = serious(result);
  const certain = [...foretold(setUp, path, hasVia), ...besides].sort();
  if (setUp.claims["`100` comes from"] === "both") {
    expect(codes(found)).toEqual(expect.arrayContaining(certain));
    expect([...RACING, ...certain]).toEqual(expect.arrayContaining(codes(found)));
  } else {
    expect(codes(found)).toEqual(certain);
  }
  expect(result.verdict.exitCode).toBe(certain.length > 0 ? 1 : 0);
  const hopOf = ({ code }: Finding) => {
    if (hasVia || code === "proxy-continue") return "proxy";
    return UNSEEN.has(setUp.program) ? "endpoint" : "unknown";
  };
  for (const finding of found) {
    expect(finding).toMatchObject({ hop: hopOf(finding), cause: expect.stringContaining(setUp.program) });
  }
}

/**
 * Probes again where a handshake took more than a second: a busy machine makes it so now and then, which the probe
 * rightly tells, but a proxy that is slow by itself is slow each time.
 */
async function probeUnhurried(...args: string[]): Promise<ProbeResult> {
  let result = await probeJson(...args);
  for (let more = 2; more > 0 && codes(result.findings).includes("slow-handshake"); more--) {
    result = await probeJson(...args);
  }
  return result;
}

/** What the findings stand on: an upload that is refused is so before its content moves, one that is not gets its 100. */
function expectHandshake(path: Path, { target }: ProbeResult): void {
  const { withheld, large, sent } = Object.fromEntries(target.exchanges.map(({ id, summary }) => [id, summary]));
  expect(large).toMatchObject({ isEarly: true, continues: 0, contentBytesSent: 0 });
  if (path === "/refused") expect(withheld).toMatchObject({ status: 415, isEarly: true, continues: 0 });
  else expect([withheld, sent]).toMatchObject([{ verdict: "continue" }, { status: 201, continues: 1 }]);
}

/** What becomes of the unknown expectation while its content is withheld: Apache refuses it behind the content. */
const STATUSES_OF_UNKNOWN: Readonly<Record<string, readonly (number | undefined)[]>> = {
  "417 by the app": [417],
  "417 by the proxy": [417, undefined],
  "201 by the app": [undefined],
};

function expectUnknown({ claims }: SetUp, { target }: ProbeResult): void {
  const unknown = target.exchanges.find(({ id }) => id === "unknown");
  expect(unknown?.summary.continues).toBe(0);
  expect(STATUSES_OF_UNKNOWN[claims["unknown expectation"]]).toContain(unknown?.summary.status);
}

describe("a real proxy is told as the page has it:", () => {
  for (const setUp of SET_UPS) {
    const name = `${setUp.name} (${setUp.isBest ? "best" : "default"})`;
    testUnless(setUp.missing === undefined ? undefined : `${setUp.name}: ${setUp.missing}`)(
      name,
      () =>
        behind(setUp, async (port) => {
          const probeOne = async (path: Path, hasVia: boolean) => {
            // Of the best, also what the command finds that most people type.
            const runsAll = setUp.isBest && path === "/upload" && !hasVia;
            const via = hasVia ? ["--via", `http://127.0.0.1:${ports.origin}${path}`] : [];
            const args = ["--yes", ...(runsAll ? [] : ["--only", ONLY]), ...via, `http://127.0.0.1:${port}${path}`];
            return { path, hasVia, runsAll, result: await probeUnhurried(...args) };
          };
          const runs = PATHS.flatMap((path) => [probeOne(path, true), probeOne(path, false)]);
          for (const { path, hasVia, runsAll, result } of await Promise.all(runs)) {
            expectTold(setUp, path, hasVia, result, runsAll ? (BESIDES[setUp.program] ?? []) : []);
            expectUnknown(setUp, result);
            if (foretold(setUp, path, true).length === 0) expectHandshake(path, result);
          }
        }),
      DEADLINE_MS,
    );
  }
});

test("the page has something to say of each of them", () => {
  expect(new Set(SET_UPS.map(({ program }) => program)).size).toBe(7);
  for (const { program } of SET_UPS) {
    expect(SET_UPS.some((one) => one.program === program && one.isBest)).toBe(true);
  }
});
