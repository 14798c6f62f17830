import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect } from "@jest/globals";
import { expectations, type Policy, refuse, silent } from "../../src/index.js";
import { pool, run, testUnless } from "../helpers/clients.js";
import { closeServers, type Handler, startAttached, store } from "../helpers/servers.js";

/** How many processes run at the same time. */
const CURLS = 4;
/** How many uploads each of them makes, one after another. A server that resets at once fails nine of ten. */
const UPLOADS = 3;
const MIB = 2 ** 20;
const hasHttp2 = spawnSync("curl", ["--version"], { encoding: "utf8" }).stdout?.includes("HTTP2") === true;
const test = testUnless(hasHttp2 ? undefined : "no curl that speaks HTTP/2");
// For tests that wait most of the time. Where all of them ran side by side, a curl was not run for a whole second at
// times, and lost the refusal.
const waitingTest = "concurrent" in test ? test.concurrent : test;

let folder: string;
let file: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "expectations-http2-"));
  file = join(folder, "content");
  writeFileSync(file, Buffer.alloc(3 * MIB, "x"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterAll(closeServers);

const maxSizeOfUndeclared: Policy = (_req, upload) => {
  upload.limitBytes(MIB, refuse(413));
  return true;
};

const CASES: [string, number, Policy][] = [
  ["at once", 403, () => refuse(403)],
  ["after a verdict of 100 ms", 403, () => setTimeout(100, refuse(403))],
  ["in the middle of the body", 413, maxSizeOfUndeclared],
];

// docs/facts.md, "Resets that overtake a response": curl 7.88 that reads a response and the reset of its stream at once takes the upload for failed.
describe.each([
  ["h2c", ["--http2-prior-knowledge"], "http"],
  ["h2", ["--http2", "-k"], "https"],
] as const)("curl on %s", (kind, options, protocol) => {
  describe.each([
    ["with Expect", ["-H", "Expect: 100-continue"]],
    ["without Expect", []],
  ])("%s", (_name, expectation) => {
    for (const [when, status, policy] of CASES) {
      // curl waits for a second behind a refusal of content that it holds back.
      const testOne = expectation.length > 0 && !when.startsWith("in the middle") ? waitingTest : test;
      testOne(`sees each refusal ${when}`, async () => {
        const guard = expectations({ logger: silent, policies: [policy] }) as Handler;
        const { server, port } = await startAttached(
          kind,
          { use: [guard], routes: { "/files": store } },
          { logger: silent },
        );
        let connections = 0;
        server.on(kind === "h2" ? "secureConnection" : "connection", () => connections++);
        const args = [
          "-q",
          "--noproxy",
          "*",
          "-sS",
          "-o",
          join(folder, "body"),
          "-w",
          "%{http_version} %{http_code}\\n",
        ];
        // A name of its own for each upload makes curl open a connection for each.
        const to = ["--connect-to", `::127.0.0.1:${port}`];
        const url = `${protocol}://upload-[1-${UPLOADS}].test:${port}/files`;
        const seen = await pool(Array(CURLS).fill(url), CURLS, () =>
          run("curl", [...args, ...options, ...expectation, ...to, "-T", file, url]),
        );
        const expected = `2 ${status}\n`.repeat(UPLOADS);
        expect(seen.map(({ stdout, stderr }) => stdout + stderr)).toEqual(Array(CURLS).fill(expected));
        expect(connections).toBe(CURLS * UPLOADS);
      });
    }
  });
});
