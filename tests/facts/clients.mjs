// What clients do with responses that this package never sends: docs/facts.md, "Clients". A client that is not there is
// skipped. The drivers are those of tests/clients.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { CLIENTS } from "../clients/suite/catalogue.mjs";
import { Driver, HangError, MissingError } from "../clients/suite/driver.mjs";
import { closeAll, fact, listen } from "./fact.mjs";

const MIB = 2 ** 20;
const HANG_MS = 8_000;
const folder = mkdtempSync(join(tmpdir(), "expectations-facts-"));
const file = join(folder, "content");
const small = join(folder, "small");
writeFileSync(file, Buffer.alloc(16 * MIB, "x"));
writeFileSync(small, "x");
const modes = new Map(CLIENTS.flatMap((client) => client.modes).map((mode) => [mode.name, mode]));

/** The status that a client reports of one upload to a port; "hangs", "fails" or "skipped" where there is none. */
async function upload(name, port, framing = "length") {
  const { start } = modes.get(name);
  let driver;
  try {
    driver = await Driver.start(typeof start === "function" ? await start(folder) : start);
    const url = `http://127.0.0.1:${port}/bucket/key`;
    const [{ status, note }] = await driver.exchange(["user:secret", framing, url, file, url, small], HANG_MS);
    return status || `fails (${note})`;
  } catch (error) {
    if (error instanceof MissingError) return "skipped";
    if (error instanceof HangError) return "hangs";
    return `fails (${error.message})`;
  } finally {
    driver?.stop();
  }
}

function check(claim, isExpected, seen) {
  if (seen === "skipped") console.log(`skipped: ${claim}`);
  else fact(claim, isExpected(seen), seen);
}

/** A server that answers the first bytes of each connection, and reads no more of it. */
const answering = (response) =>
  listen(net.createServer((socket) => socket.on("error", () => {}).once("data", () => void socket.write(response))));

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
const refusal = (body) =>
  `HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

const JAVA = "Java HttpClient with expectContinue";
check(
  "Java's HttpClient hangs on a refusal without a 100 that has a body",
  (seen) => seen === "hangs",
  await upload(JAVA, await answering(refusal("no"))),
);
check("it sees one with `Content-Length: 0`", (seen) => seen === 403, await upload(JAVA, await answering(refusal(""))));

/** Sends what comes before the final response, stores the content, and answers 201. */
function storing(...before) {
  return listen(
    http.createServer().on("checkContinue", (req, res) => {
      for (const text of before) req.socket.write(text);
      req.resume();
      req.on("end", () => res.writeHead(201, { ETag: '"1"', "Content-Length": 0 }).end());
    }),
  );
}

check("one 100: Java's HttpClient stores", (seen) => seen === 201, await upload(JAVA, await storing(CONTINUE)));
check("two 100s: it never sees the 201", (seen) => seen !== 201, await upload(JAVA, await storing(CONTINUE, CONTINUE)));
const TORNADO = "tornado with expect_100_continue";
check("one 100: tornado stores", (seen) => seen === 201, await upload(TORNADO, await storing(CONTINUE)));
check("two 100s: tornado fails", (seen) => seen !== 201, await upload(TORNADO, await storing(CONTINUE, CONTINUE)));

/** Sends a 100, refuses at the first mebibyte, and ends its side at once or after a pause in the content. The follower is small. */
function refusingInMidBody(pauseMs) {
  return listen(
    net.createServer({ allowHalfOpen: true }, (socket) => {
      let bytes = 0;
      let timer;
      socket.on("error", () => {});
      socket.on("end", () => socket.end());
      socket.on("data", (chunk) => {
        const { length } = chunk;
        if (bytes === 0 && chunk.includes("Content-Length: 1\r\n")) {
          socket.end(refusal(""));
          return;
        }
        if (bytes === 0) socket.write(CONTINUE);
        if (bytes < MIB && bytes + length >= MIB) {
          socket.write(refusal(""));
          if (pauseMs === 0) socket.end();
        }
        bytes += length;
        clearTimeout(timer);
        if (pauseMs > 0 && bytes >= MIB) timer = global.setTimeout(() => socket.end(), pauseMs);
      });
    }),
  );
}

const RUNS = 10;
async function lost(pauseMs) {
  const port = await refusingInMidBody(pauseMs);
  let count = 0;
  for (let i = 0; i < RUNS; i++) {
    const seen = await upload(TORNADO, port, "chunked");
    if (seen === "skipped") return seen;
    if (seen !== 403) count++;
  }
  return count;
}
check(
  `tornado loses some of ${RUNS} refusals in the middle of the body whose FIN follows at once`,
  (seen) => seen > 0,
  await lost(0),
);
check("it loses none whose FIN waits for a pause of 300 ms", (seen) => seen === 0, await lost(300));

const CURL_RUNS = 30;

/** How many uploads by curl over h2c report no 403, if the stream is reset so long after the response. */
async function lostByCurl(delayMs) {
  const server = http2.createServer((_req, res) => {
    const { stream } = res;
    stream.on("error", () => {});
    stream.once("finish", async () => {
      stream.pause();
      if (delayMs > 0) await setTimeout(delayMs);
      stream.close(http2.constants.NGHTTP2_NO_ERROR);
      stream.resume();
    });
    res.statusCode = 403;
    res.end("");
  });
  const url = `http://127.0.0.1:${await listen(server)}/`;
  const args = ["-q", "--noproxy", "*", "-s", "-o", join(folder, "body"), "-w", "%{http_code}"];
  let count = 0;
  for (let i = 0; i < CURL_RUNS; i++) {
    const { stdout, code } = await promisify(execFile)("curl", [
      ...args,
      "--http2-prior-knowledge",
      "-T",
      file,
      url,
    ]).catch((error) => error);
    if (code === "ENOENT") return "skipped";
    if (code !== undefined || stdout !== "403") count++;
  }
  return count;
}
check(
  `curl 7.88 on h2c loses some of ${CURL_RUNS} refusals whose stream is reset at once`,
  (seen) => seen > 0,
  await lostByCurl(0),
);
check("it loses none whose stream is reset 1 s later", (seen) => seen === 0, await lostByCurl(1_000));

rmSync(folder, { recursive: true, force: true });
closeAll();
process.exit();
