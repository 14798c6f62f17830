import { randomBytes } from "node:crypto";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { handshake } from "express-expectations/testing";
import { fingerprint, startApp, TOKEN } from "./app.mjs";
import { curlVersion, runCurl } from "./clients.mjs";
import { count, printEnd, printExchange, printTitle } from "./print.mjs";
import { fieldOf, startRecorder } from "./recorder.mjs";

const PHOTO_BYTES = 4 * 1024 * 1024;
const VIDEO_BYTES = 100 * 1024 * 1024;
const SKETCH = Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'/>\n");

const CURLRC = ["silent", "show-error", 'noproxy = "*"', 'write-out = "uploaded=%{size_upload}"'].join("\n");

/**
 * What is shown, and what each exchange has to come to. `sent`: exact bytes of content from the client; `below`: fewer
 * than that, where the client does not wait.
 */
function scenesOf(port) {
  const url = (path) => `http://127.0.0.1:${port}${path}`;
  const auth = ["-H", `Authorization: Bearer ${TOKEN}`];
  const png = ["-H", "Content-Type: image/png"];
  const expect = ["-H", "Expect: 100-continue"];
  // A client that sends nothing before it has read an answer.
  const put = (path) =>
    handshake(url(""))
      .put(path)
      .set({ Authorization: `Bearer ${TOKEN}`, "Content-Type": "image/svg+xml" });
  return [
    {
      title: "Accepted: one 100 Continue, then the content",
      curl: [...expect, ...auth, ...png, "-T", "photo.png", url("/images/photo")],
      expected: { statuses: [100, 201], sent: PHOTO_BYTES, stored: ["photo.png", "photo"] },
    },
    {
      title: "Accepted, by a client that sends nothing before it has read the 100",
      shown: "PUT /images/sketch",
      run: () => put("/images/sketch").send(SKETCH),
      expected: { statuses: [100, 201], sent: SKETCH.length, stored: ["sketch.svg", "sketch"] },
    },
    {
      title: "Refused by size: 100 MiB declared, none of it sent",
      curl: [...expect, ...auth, ...png, "-T", "huge.png", url("/images/huge")],
      expected: { statuses: [413], sent: 0, policy: "maxSize" },
    },
    {
      title: "Refused by media type",
      curl: [...expect, ...auth, "-H", "Content-Type: video/mp4", "-T", "photo.png", url("/images/film")],
      expected: { statuses: [415], sent: 0, policy: "mediaTypes" },
    },
    {
      title: "Refused for want of credentials",
      curl: [...expect, ...png, "-T", "photo.png", url("/images/photo")],
      expected: { statuses: [401], sent: 0, policy: "authorize" },
    },
    {
      title: "Refused: an expectation that nobody here knows",
      shown: "PUT /images/tea",
      run: () => put("/images/tea").expecting("teapot").withhold(418),
      expected: { statuses: [417], sent: 0, policy: "unknown-expectation" },
    },
    {
      title: "A route that does not exist: Express's own 404, at once, and no 100 before it",
      curl: [...expect, "-T", "photo.png", url("/nowhere")],
      expected: { statuses: [404], sent: 0 },
    },
    {
      title: "The classic: 417 Expectation Failed, with a page",
      curl: [
        "-X",
        "PUT",
        url("/classic"),
        ...expect,
        "-H",
        "Content-Type: application/json",
        "-d",
        '{"data": "test"}',
        "-v",
      ],
      expected: { statuses: [417], sent: 0, policy: "takesNothing", contentType: "text/html; charset=utf-8" },
    },
    {
      title: "The same 100 MiB from a client that does not wait: the same verdict, and what it costs",
      curl: ["-H", "Expect:", ...auth, ...png, "-T", "huge.png", url("/images/huge")],
      expected: { statuses: [413], below: VIDEO_BYTES, policy: "maxSize" },
    },
  ];
}

function checksOf({ expected, curl }, { recording, records, outcome, prints, isClosed }) {
  const { statuses, request, final } = recording;
  const checks = [];
  const check = (what, isTrue) => checks.push({ what, isTrue });
  const interim = statuses.filter((status) => status === 100).length;
  check(`status ${expected.statuses.join(", then ")}`, String(statuses) === String(expected.statuses));
  check(expected.statuses[0] === 100 ? "one 100" : "no 100", interim === expected.statuses.length - 1);
  check("one connection", recording.connections === 1);
  if (expected.sent === undefined)
    check(`fewer than ${count(expected.below)} bytes sent`, request.bodyBytes < expected.below);
  else check(`${count(expected.sent)} bytes sent`, request?.bodyBytes === expected.sent);
  if (curl && expected.sent !== undefined) check("curl says the same", outcome.uploaded === expected.sent);
  if (expected.stored) check("stored byte for byte", prints[0] !== undefined && prints[0] === prints[1]);
  else {
    check("Connection: close", final !== undefined && fieldOf(final.lines, "connection") === "close");
    check("closed", isClosed);
  }
  if (expected.contentType) {
    check(
      expected.contentType,
      final?.isWhole === true && fieldOf(final.lines, "content-type") === expected.contentType,
    );
  }
  if (expected.policy) check("one log record", records.length === 1 && records[0].details.policy === expected.policy);
  else check("no log record", records.length === 0);
  return checks;
}

function commandOf({ curl, shown }) {
  if (shown) return [`express-expectations/testing: ${shown} …`];
  const words = curl.map((word) => (/^[\w./:=-]+$/.test(word) ? word : `'${word}'`)).join(" ");
  const lines = ["curl"];
  // An option and its value stay on one line.
  for (const part of words.split(/ (?=-|http:)/)) {
    if (lines.at(-1).length + part.length > 90) lines.push("    ");
    lines[lines.length - 1] += ` ${part}`;
  }
  return lines.map((line, i) => (i < lines.length - 1 ? `${line} \\` : line));
}

const CLOSE_DEADLINE_MS = 5_000;

async function isClosedInTime(recording) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, CLOSE_DEADLINE_MS, false);
  });
  const isClosed = await Promise.race([recording.closed.then(() => true), late]);
  clearTimeout(timer);
  return isClosed;
}

async function main() {
  const curl = curlVersion();
  if (!curl) {
    console.error("The demo drives the real curl, which is not installed. Install it, then run the demo again:");
    console.error("  Debian, Ubuntu: apt-get install curl    Fedora: dnf install curl    macOS: brew install curl");
    return 1;
  }
  const startedAt = performance.now();
  const folder = await mkdtemp(join(tmpdir(), "expectations-demo-"));
  const log = [];
  const write = (level) => (details, message) => log.push({ level, message, details });
  const server = await startApp(folder, { warn: write("warn"), error: write("error") });
  const recorder = await startRecorder(server.address().port);
  try {
    await writeFile(join(folder, ".curlrc"), CURLRC);
    await writeFile(join(folder, "photo.png"), randomBytes(PHOTO_BYTES));
    await writeFile(join(folder, "sketch.svg"), SKETCH);
    await writeFile(join(folder, "huge.png"), "");
    await truncate(join(folder, "huge.png"), VIDEO_BYTES);
    printTitle([
      `express-expectations: uploads decided before they are sent (${curl}, Node ${process.versions.node})`,
      "A recording proxy between client and server takes the times and counts the bytes. → client   ← server",
    ]);
    const scenes = scenesOf(recorder.port);
    let failed = 0;
    for (const [i, scene] of scenes.entries()) {
      const recording = recorder.begin();
      log.length = 0;
      const outcome = scene.curl ? await runCurl(scene.curl, folder) : await scene.run();
      const isClosed = await isClosedInTime(recording);
      const prints = await Promise.all((scene.expected.stored ?? []).map((name) => fingerprint(join(folder, name))));
      const result = { recording, records: [...log], outcome, prints, isClosed };
      const checks = checksOf(scene, result);
      if (checks.some(({ isTrue }) => !isTrue)) failed++;
      printExchange(i + 1, { title: scene.title, command: commandOf(scene) }, { ...result, checks });
    }
    printEnd(failed, scenes.length, performance.now() - startedAt);
    return failed === 0 ? 0 : 1;
  } finally {
    recorder.close();
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
