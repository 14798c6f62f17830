// What the pages show as output, beside what the programs print today. Numbers may differ, and a line that is … stands
// for lines that are left out. pages.test.ts compares the commands of curl and the texts of --help.
import { afterEach, expect, test } from "@jest/globals";
import { main } from "../../src/cli/main.js";
import { concurrency, expectations, silent } from "../../src/index.js";
import { handshake, misbehave } from "../../src/testing/testing.js";
import { fakeTerminal, LOGGERS, linesOf, REFUSAL } from "../helpers/report-log.js";
import { closeServers, type Handler, plainApp, startAttached, store } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";
import { runProbe } from "../probe/command.js";
import { page } from "./pages.js";

afterEach(closeServers);

/** The block of a page that begins with this text. */
function shownOn(name: string, start: string): string[] {
  const blocks = [...page(name).matchAll(/^```(?:text|http)\n(.*?)\n```$/gms)].map(([, block]) => block as string);
  const found = blocks.find((block) => block.startsWith(start));
  if (found === undefined) throw new Error(`${name} shows nothing that starts with ${start}`);
  return found.split("\n").map(masked);
}

const masked = (line: string) =>
  line
    .trimEnd()
    .replace(/ *\d[\d.,]*/g, " #")
    .replace(/ {2,}/g, " ");

/** Asserts that the lines follow each other in the output, without a gap except where the page shows …. */
function expectShown(shown: readonly string[], output: string): void {
  const printed = output.split(/\r?\n/).map(masked);
  let at = printed.indexOf(shown[0] ?? "");
  expect({ first: shown[0], found: at >= 0 }).toEqual({ first: shown[0], found: true });
  let mayGap = false;
  for (const line of shown) {
    if (line.trim() === "…") {
      mayGap = true;
      continue;
    }
    if (mayGap) at = Math.max(at, printed.indexOf(line, at));
    mayGap = false;
    expect(printed[at++]).toBe(line);
  }
}

test("docs/testing.md: the message of a test whose guard is missing", async () => {
  const test = handshake(plainApp({ routes: { "/images/1": store } }), { attach: { logger: silent } });
  const error = await test
    .put("/images/1")
    .withhold(100_000_000)
    .expectRefusal(413)
    .then(String, (failure: Error) => failure.message);
  expectShown(shownOn("docs/testing.md", "no final status"), error);
});

test("docs/waiting-room.md: the refusal of an upload that finds no place", async () => {
  const guard = expectations({ policies: [concurrency({ limit: 50 })], logger: silent }) as Handler;
  const { port } = await startAttached("node:http", { use: [guard], routes: { "/files": store } }, { logger: silent });
  const ask = async () => {
    const wire = await WireClient.connect(port);
    wire.send("PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    await wire.until("an answer", () => wire.statuses.length > 0);
    return wire;
  };
  for (let i = 0; i < 50; i++) await ask();
  const refused = await ask();
  const head = (await refused.final()) && refused.text.split("\r\n\r\n")[0];
  const lines = shownOn("docs/waiting-room.md", "HTTP/1.1 503");
  expect(head?.split("\r\n").map(masked)).toEqual(expect.arrayContaining(lines));
});

test("docs/report.md: the software that is refused, and what to do about curl", async () => {
  const clients: [userAgent: string, statuses: number[]][] = [
    ["Boto3/1.43.5 md/Botocore#1.43.5", Array(9).fill(413)],
    ["Java-http-client/17.0.8", Array(8).fill(413)],
    ["curl/8.14.1", [401, 413, 413, 415, 417, 429, 413]],
    ["curl/7.88.1", [413, 417]],
    ["okhttp/4.12.0", [413]],
  ];
  const log = linesOf(LOGGERS.pino as NonNullable<(typeof LOGGERS)[string]>, (logger) => {
    for (const [userAgent, statuses] of clients) {
      for (const [i, status] of statuses.entries()) {
        const message = `PUT /images/1 refused with ${status}`;
        logger.warn({ ...REFUSAL, userAgent, status, bytesSpared: 2 ** 30, withheld: i !== 0 }, message);
      }
    }
  });
  const terminal = fakeTerminal({ stdin: log });
  await main(["report", "--top", "3", "-"], terminal);
  expectShown(shownOn("docs/report.md", "Client software"), terminal.stdout.text);
});

test("docs/probe.md: what probe says of a server that sends its 100 blindly", async () => {
  const server = await misbehave("blind-continue");
  try {
    const { stdout } = await runProbe(["--yes", server.url]);
    expectShown(shownOn("docs/probe.md", "FINDINGS"), stdout);
  } finally {
    await server.close();
  }
});
