import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import * as http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect } from "@jest/globals";
import { expectations, maxSize, silent } from "../../src/index.js";
import { run, testUnless, whyMissing } from "../helpers/clients.js";
import { closeServers, type Handler, listen, next, type RunningServer, startAttached } from "../helpers/servers.js";

// docs/facts.md, "A kept-alive 417": curl answers a 417 on a connection that is kept alive by repeating the request there, without `Expect`. A
// server that still waits for the content of the first one takes the repeat's head for the first bytes of it, and the
// end of the file, as long as that head, for the next request.

const test = testUnless(whyMissing("curl", "--version"));

const MIB = 2 ** 20;
// Around the lengths at which the repeat's `Content-Length` has one digit more, and far from them; over 1 MiB, from
// where on every curl sends `Expect`.
const SIZES = [2 * MIB, 3 * MIB + 1, 9_999_999, 10_000_000];
/** Where the smuggled request begins, counted from where the repeat's head puts it: a server may eat less, or more. */
const SHIFTS = [-3, -2, -1, 0, 1, 2, 3];
const ATTEMPTS: readonly Attempt[] = SIZES.flatMap((size) => SHIFTS.map((shift) => ({ size, shift })));
/** How many processes upload at the same time. */
const CURLS = 3;
/** How much of the end of a file is written anew for each server: more than the repeat's head with any port. */
const END_LENGTH = 1_024;

let folder: string;
let userAgent: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "expectations-smuggling-"));
  for (const attempt of ATTEMPTS) writeFileSync(fileOf(attempt), Buffer.alloc(attempt.size, "x"));
  userAgent = `curl/${/^curl (\S+)/.exec((await run("curl", ["--version"])).stdout)?.[1]}`;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(closeServers);

/** The head that curl sends when it repeats the upload without `Expect`. */
function repeatedHead(port: number, size: number): string {
  return [
    "PUT /files HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    `User-Agent: ${userAgent}`,
    "Accept: */*",
    `Content-Length: ${size}`,
    "\r\n",
  ].join("\r\n");
}

interface Attempt {
  readonly size: number;
  readonly shift: number;
}

/** The path of an attempt's file, which all tests use in turn: only its end differs, by the server's port. */
function fileOf({ size, shift }: Attempt): string {
  return join(folder, `${size}-${shift}`);
}

/** Makes of an attempt's file one of which a kept-alive connection would execute the end. */
async function poison(port: number, attempt: Attempt): Promise<string> {
  const { size, shift } = attempt;
  const smuggled = "GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n";
  const end = Buffer.alloc(END_LENGTH, "x");
  end.write(smuggled, END_LENGTH - repeatedHead(port, size).length + shift);
  const file = await fs.open(fileOf(attempt), "r+");
  await file.write(end, 0, END_LENGTH, size - END_LENGTH);
  await file.close();
  return fileOf(attempt);
}

interface Upload {
  /** Bytes of the file that curl has sent. */
  readonly sent: number;
  /** Of all responses, in order. */
  readonly statuses: number[];
  /** Of all final responses, in order. */
  readonly connections: string[];
}

/** Uploads one file after another with one curl, on a connection for each: it takes each for a host of its own. */
async function upload(port: number, files: readonly string[]): Promise<Upload[]> {
  const transfers = files.map((file, i) => [
    "--noproxy",
    "*",
    "--connect-to",
    `::127.0.0.1:${port}`,
    "-H",
    `Host: 127.0.0.1:${port}`,
    // On a busy machine the default of one second may pass before the verdict: curl would send the file then.
    "--expect100-timeout",
    "15",
    "-sS",
    "-D",
    "-",
    "-o",
    "/dev/null",
    "-w",
    "sent %{size_upload}\n",
    "-T",
    file,
    `http://upload-${i}.test:${port}/files`,
  ]);
  const args = transfers.flatMap((transfer, i) => (i === 0 ? transfer : ["--next", ...transfer]));
  const { stdout } = await run("curl", ["-q", ...args]);
  return stdout
    .split(/(?<=^sent \d+\n)/m)
    .filter((part) => part !== "")
    .map((part) => ({
      sent: Number(/^sent (\d+)/m.exec(part)?.[1]),
      statuses: [...part.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status)),
      connections: [...part.matchAll(/^connection: (.*?)\r$/gim)].map(([, value]) => value as string),
    }));
}

async function uploadAll({ port }: RunningServer): Promise<Upload[]> {
  const files = await Promise.all(ATTEMPTS.map((attempt) => poison(port, attempt)));
  const share = Math.ceil(files.length / CURLS);
  const shares = Array.from({ length: CURLS }, (_, i) => files.slice(i * share, (i + 1) * share));
  return (await Promise.all(shares.map((some) => upload(port, some)))).flat();
}

const keptAlive =
  (status: number): Handler =>
  (_req, res) => {
    res.writeHead(status, { Connection: "keep-alive", "Content-Length": 0 });
    res.end();
  };

test("the construction works: a server that keeps a 417 alive executes the end of the file", async () => {
  const requests: string[] = [];
  const server = http.createServer((req, res) => {
    requests.push(`${req.method} ${req.url}`);
    req.resume();
    req.on("end", () => res.end());
  });
  server.on("checkContinue", keptAlive(417));
  const seen = await uploadAll(await listen(server));
  expect(seen.every(({ statuses }) => statuses[0] === 417)).toBe(true);
  expect(seen).toHaveLength(ATTEMPTS.length);
  // Once for each size: at the shift of 0, where the request begins with the first byte that the server does not eat.
  expect(requests).toEqual(SIZES.map(() => "GET /smuggled"));
});

describe.each(["node:http", "Express 5"] as const)("%s", (kind) => {
  const guarded = (policies: Parameters<typeof expectations>[0]) =>
    expectations({ logger: silent, ...policies }) as Handler;

  test.each<[string, number, readonly Handler[]]>([
    ["a guard's 417", 417, [guarded({ policies: [() => false] })]],
    ["a guard's late 417", 417, [guarded({ policies: [() => setTimeout(20, false)] })]],
    ["the application's own 417, which asks to be kept alive", 417, [guarded({}), keptAlive(417)]],
    ["a guard's 413", 413, [guarded({ policies: [maxSize(MIB)] })]],
    ["the application's own 413, which asks to be kept alive", 413, [keptAlive(413)]],
    ["a 404 of the framework's own", 404, []],
  ])("%s closes, and nothing of the file is executed", async (_name, expected, use) => {
    const requests: string[] = [];
    const note: Handler = (req, _res, goOn) => {
      requests.push(`${req.method} ${req.url}`);
      goOn();
    };
    const running = await startAttached(
      kind,
      { use: [note, ...use], routes: { "/smuggled": next } },
      { logger: silent },
    );
    const seen = await uploadAll(running);
    // curl takes `Connection: close` for an answer, and repeats nothing.
    expect(requests).toEqual(ATTEMPTS.map(() => "PUT /files"));
    expect(seen).toEqual(ATTEMPTS.map(() => ({ sent: 0, statuses: [expected], connections: ["close"] })));
  });
});
