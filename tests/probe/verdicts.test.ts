// The table of docs/probe.md: what the probe says of servers that misbehave, and of real proxies.
// UPDATE_VERDICTS=1 writes it.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import express from "express";
import { authorize, expectations, maxSize, silent } from "../../src/index.js";
import { admission } from "../../src/proxies/admission.js";
import { BEHAVIOUR_NAMES, BEHAVIOURS } from "../../src/testing/misbehave/behaviours.js";
import { closeServers, listen, start, startAttached, store } from "../helpers/servers.js";
import { probeJson } from "./command.js";
import { closePeers, response, startPeer } from "./peer.js";

const PAGE = join(__dirname, "../../docs/probe.md");
const STARTER = join(__dirname, "proxies-start.mjs");
const BLOCK = /<!-- verdicts -->\n(.*?)\n<!-- \/verdicts -->/s;
const DEADLINE_MS = 90_000;

/** One row: who answers, the findings, the first fix, the exit code. */
type Row = readonly [server: string, verdict: string, findings: string, fix: string, code: string];

/** A proxy whose 100s race with those of the origin is told in other words from run to run. */
const RACING = new Set(["Caddy, `reverse_proxy`", "Caddy, `expect_continue_timeout`"]);

interface SetUp {
  readonly name: string;
  readonly isBest: boolean;
  readonly missing?: string;
}

const SET_UPS = (
  JSON.parse(execFileSync(process.execPath, [STARTER, "--list"], { encoding: "utf8" })) as SetUp[]
).filter(({ name }) => !RACING.has(name));

const rows = new Map<string, Row>();

async function rowOf(server: string, ...args: string[]): Promise<Row> {
  const run = () => probeJson("--yes", "--timeout", "2", ...args);
  let { verdict, findings } = await run();
  // A busy machine makes a handshake slow now and then; a server that is slow is so each time.
  const most = server === "`late-continue`" ? 0 : 3;
  for (let left = most; left > 0 && findings.some(({ code }) => code === "slow-handshake"); left--) {
    ({ verdict, findings } = await run());
  }
  const [first] = findings;
  return [
    server,
    verdict.outcome,
    findings.map(({ code, severity }) => (severity === "note" ? `(${code})` : `\`${code}\``)).join(", "),
    first && first.severity !== "note" ? firstSentence(first.fixes[0]?.text) : "",
    String(verdict.exitCode),
  ];
}

function firstSentence(text = ""): string {
  return text.split(/(?<=\.) /, 1)[0] ?? "";
}

async function behind(name: string, ports: readonly number[]): Promise<Row> {
  const child = spawn(process.execPath, [STARTER, name, ...ports.map(String)], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  try {
    const [first] = await once(child.stdout, "data");
    return await rowOf(
      name,
      "--only",
      "plain,control,withheld,sent,large,chunked,unknown,case",
      // One that the rules of ModSecurity allow.
      "-H",
      "Content-Type: text/plain",
      `http://127.0.0.1:${Number(String(first))}/files/upload`,
    );
  } finally {
    child.stdin.end();
    await exited;
  }
}

beforeAll(async () => {
  const policies = [maxSize("2mb")];
  const use = [expectations({ policies, logger: silent })];
  const app = await startAttached("Express 5", { use, routes: { "/files/upload": store } }, { logger: silent });
  const asked = (statuses: "nginx" | "verbatim") =>
    listen(http.createServer(admission({ trustProxy: "loopback", policies, statuses, logger: silent })));
  const ports = [app.port, (await asked("nginx")).port, (await asked("verbatim")).port];
  const correct = await startPeer();
  const refusing = await startPeer((served) => {
    if (!served.head.hasContent) return false;
    served.end(response("413 Content Too Large", ["Connection: close"]));
    return true;
  });
  const upload = (port: number, scheme = "http") => `${scheme}://127.0.0.1:${port}/files/upload`;
  const raw = express()
    .use(express.raw({ limit: "2mb", type: "*/*" }))
    .put("/files/upload", (_req, res) => void res.status(201).end());
  const closed = expectations({ policies: [authorize(() => false, { challenge: "Bearer" })], logger: silent });
  const running = [
    rowOf("a correct server", correct.url),
    rowOf("a correct server that refuses with 413", refusing.url),
    rowOf("an Express app with `attach`", upload(app.port)),
    rowOf("Node by itself", upload((await start("node:http", { routes: { "/files/upload": store } })).port)),
    rowOf("Express with `express.raw({ limit })`", upload((await listen(http.createServer(raw))).port)),
    rowOf(
      "an Express app with `attach`, over TLS",
      "--insecure",
      upload(
        (await startAttached("node:https", { use, routes: { "/files/upload": store } }, { logger: silent })).port,
        "https",
      ),
    ),
    rowOf(
      "a guard that wants credentials",
      upload(
        (await startAttached("Express 5", { use: [closed], routes: { "/files/upload": store } }, { logger: silent }))
          .port,
      ),
    ),
    ...BEHAVIOUR_NAMES.map(async (name) => rowOf(`\`${name}\``, (await startPeer(BEHAVIOURS[name])).url)),
  ];
  for (const row of await Promise.all(running)) rows.set(row[0], row);
  const here = SET_UPS.filter(({ missing }) => missing === undefined);
  for (const row of await Promise.all(here.map(({ name }) => behind(name, ports)))) rows.set(row[0], row);
}, DEADLINE_MS);
afterAll(async () => {
  await closePeers();
  await closeServers();
});

test("the table of docs/probe.md is what the probe says", () => {
  const page = readFileSync(PAGE, "utf8");
  const text = tableOf([...rows.values()]);
  if (process.env.UPDATE_VERDICTS === "1") {
    writeFileSync(
      PAGE,
      page.replace(BLOCK, () => `<!-- verdicts -->\n${text}\n<!-- /verdicts -->`),
    );
    return;
  }
  const told = (BLOCK.exec(page)?.[1] ?? "").split("\n");
  const isMissing = (line: string) =>
    SET_UPS.some(({ name, missing }) => missing !== undefined && line.startsWith(`| ${name} |`));
  expect(told.filter((line) => !isMissing(line))).toEqual(text.split("\n"));
});

test("every server that misbehaves is told from a correct one, unless what it does is allowed", () => {
  const healthy = [...rows.values()].filter(([, , , , code]) => code === "0").map(([name]) => name);
  expect(healthy.filter((name) => name.startsWith("`"))).toEqual(["`other-interims`", "`ignores-unknown`"]);
});

function tableOf(all: readonly Row[]): string {
  const heading = [
    "| server | verdict | findings (notes in brackets) | first fix | exit code |",
    "| --- | --- | --- | --- | --- |",
  ];
  return [...heading, ...all.map((cells) => `| ${cells.join(" | ")} |`)].join("\n");
}
