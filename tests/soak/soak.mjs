// npm run soak -- [--count N] [--h2] [--vanish]
//
// Runs many exchanges against one process with attached servers and looks at what stays: heap after gc, descriptors,
// active resources, listeners, lingering sockets, streams and sessions must end where they were after the first ones, and
// an exchange must cost in the end what it cost at first.
// Without a flag all three parts run: 100,000 refusals and 100,000 uploads, one client of 25 of which resets its connection
// within its request, 20,000 streams, 10,000 clients that vanish.
// Exit code 1 where something stays.
import { fork } from "node:child_process";
import { once } from "node:events";
import * as http2 from "node:http2";
import { parseArgs } from "node:util";
import { median } from "../../bench/statistics.mjs";
import { Connection, inParallel } from "./client.mjs";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100000" },
    h2: { type: "boolean", default: false },
    vanish: { type: "boolean", default: false },
  },
});
const count = evenly(Number(values.count));
const runsAll = !values.h2 && !values.vanish;
const WIDTH = 24;
/** One client of so many resets its connection. */
const RESETS = 25;
/** Behind these the process is warm: code compiled, pools filled. */
const WARM_UP = 1_000;
/** What an exchange costs in the second half of a run, over what it cost in the first. */
const CPU_DRIFT = 1.05;
const P99_DRIFT = 1.2;
/** Pieces of half a run. The middle one counts, so that what else the machine does falls out. */
const WINDOWS = 10;
/** A shorter run is over before all code is compiled. */
const LEAST_FOR_DRIFT = 50_000;
/** What an exchange may leave on the heap, in bytes, seen over the second half of the run. */
const HEAP_PER_EXCHANGE = 1;
/** What a warm heap moves by itself from one look to the next: one object left by each exchange would be more. */
const HEAP_NOISE = 384 * 1024;
/** What compiled code and its statistics add behind the warm-up, once, whatever the number of exchanges. */
const HEAP_ONCE = 1.5 * 2 ** 20;

const HEAD = "Host: soak\r\n";
const WAITS = "Expect: 100-continue\r\n";
const BODY = "x".repeat(1_000);
const LARGE = "x".repeat(2 * 2 ** 20);

function evenly(number) {
  return 2 * Math.ceil(number / 2);
}

class Soaked {
  static async start() {
    const soaked = new Soaked();
    soaked.child = fork(new URL("server.mjs", import.meta.url), { execArgv: ["--expose-gc"] });
    soaked.child.on("message", (message) => {
      if (message.judging !== undefined) soaked.onJudging?.(message.judging);
    });
    soaked.child.once("exit", (code, signal) => {
      console.log(`FAILED: the server's process ended with ${signal ?? code}`);
      process.exit(1);
    });
    const [{ ports }] = await once(soaked.child, "message");
    soaked.ports = ports;
    return soaked;
  }

  figures() {
    return this.#ask("figures");
  }

  /** CPU time of the process until now, in microseconds. */
  async cpuUs() {
    const { user, system } = await this.#ask("cpu");
    return user + system;
  }

  async #ask(what) {
    this.child.send({ ask: what });
    for (;;) {
      const [message] = await once(this.child, "message");
      if (message[what]) return message[what];
    }
  }

  // Lingering sockets and the last FINs take their time: waits until nothing moves any more.
  async settled() {
    let figures = await this.figures();
    const until = Date.now() + 15_000;
    while (Date.now() < until && (figures.connections > 0 || figures.streams > 0 || figures.sessions > 0)) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      figures = await this.figures();
    }
    return figures;
  }

  stop() {
    this.child.removeAllListeners("exit");
    this.child.disconnect();
  }
}

let misses = 0;

function check(what, isRight, found) {
  console.log(`${isRight ? "ok    " : "MISSED"} ${what}: ${found}`);
  if (!isRight) misses++;
}

function compare(name, before, half, after, exchanges) {
  console.log(`\n${name}: ${exchanges} exchanges behind the warm-up`);
  const grown = after.heapUsed - before.heapUsed;
  check("heap after gc, since the warm-up", grown <= HEAP_ONCE, `${before.heapUsed} → ${after.heapUsed} bytes`);
  const late = after.heapUsed - half.heapUsed;
  check(
    "heap after gc, in the second half",
    late <= HEAP_NOISE + (HEAP_PER_EXCHANGE * exchanges) / 2,
    `${late} bytes: ${(late / (exchanges / 2)).toFixed(3)} an exchange`,
  );
  for (const key of ["descriptors", "connections", "lingering", "pending", "streams", "sessions"]) {
    check(key, after[key] <= before[key], `${before[key]} → ${after[key]}`);
  }
  for (const key of ["resources", "serverListeners", "processListeners"]) {
    const [was, is] = [sorted(before[key]), sorted(after[key])];
    check(key, was === is, was === is ? is : `${was} → ${is}`);
  }
}

function sorted(record) {
  return Object.entries(record)
    .map(([name, number]) => `${name} ${number}`)
    .sort()
    .join(", ");
}

const REFUSALS = [
  { status: 413, head: `PUT /size HTTP/1.1\r\n${HEAD}${WAITS}Content-Length: 104857600\r\n\r\n` },
  {
    status: 415,
    head: `PUT /type HTTP/1.1\r\n${HEAD}${WAITS}Content-Type: text/plain\r\nContent-Length: 9999\r\n\r\n`,
  },
  { status: 401, head: `POST /auth HTTP/1.1\r\n${HEAD}${WAITS}Transfer-Encoding: chunked\r\n\r\n` },
  { status: 417, head: `PUT /size HTTP/1.1\r\n${HEAD}Expect: teapot\r\nContent-Length: 10\r\n\r\n` },
  { status: 400, head: `PUT /size HTTP/1.1\r\n${HEAD}${HEAD}Content-Length: 10\r\n\r\n` },
  { status: 404, head: `PUT /nowhere HTTP/1.1\r\n${HEAD}${WAITS}Content-Length: 10\r\n\r\n` },
  {
    status: 415,
    head: `PUT /type HTTP/1.1\r\n${HEAD}Content-Type: text/plain\r\nContent-Length: 1000\r\n\r\n`,
    body: BODY,
  },
  { status: 401, head: `POST /auth HTTP/1.1\r\n${HEAD}Content-Length: 1000\r\n\r\n`, body: BODY },
];
/** Cut off in the middle; costly, so one of many. */
const CUT_OFF = {
  status: 413,
  head: `PUT /size HTTP/1.1\r\n${HEAD}Transfer-Encoding: chunked\r\n\r\n`,
  body: `${(LARGE.length).toString(16)}\r\n${LARGE}\r\n0\r\n\r\n`,
};

/** Half of the time behind the answer, which is written or under way then. */
async function sendAndReset(port, i, text) {
  const connection = new Connection(port);
  connection.send(text);
  if (i % 2 === 0) await connection.status();
  else await once(connection.socket, "connect");
  connection.socket.resetAndDestroy();
  await connection.closed();
}

function resets(i) {
  return i % RESETS === 7;
}

async function refusal(port, i) {
  const { status, head, body = "" } = i % 500 === 499 ? CUT_OFF : REFUSALS[i % REFUSALS.length];
  if (resets(i)) return sendAndReset(port, i, head + body.slice(0, 500));
  const connection = new Connection(port);
  connection.send(head);
  if (body) connection.send(body);
  const answer = await connection.status();
  if (answer !== status) throw new Error(`refusal ${i}: ${answer} instead of ${status}`);
  connection.socket.end();
  await connection.closed();
}

const UPLOADS = [
  { head: `PUT /size HTTP/1.1\r\n${HEAD}${WAITS}Content-Length: 1000\r\n\r\n`, body: BODY, waits: true },
  { head: `PUT /async HTTP/1.1\r\n${HEAD}${WAITS}Content-Length: 1000\r\n\r\n`, body: BODY, waits: true },
  {
    head: `PUT /size HTTP/1.1\r\n${HEAD}${WAITS}Transfer-Encoding: chunked\r\n\r\n`,
    body: `3e8\r\n${BODY}\r\n0\r\n\r\n`,
    waits: true,
  },
  { head: `POST /size HTTP/1.1\r\n${HEAD}Content-Length: 1000\r\n\r\n`, body: BODY },
  { head: `POST /async HTTP/1.1\r\n${HEAD}Content-Length: 1000\r\n\r\n`, body: BODY },
];
const STREAM_DEADLINE_MS = 15_000;
/** Then a client takes a new connection. */
const UPLOADS_PER_CONNECTION = 50;

/** Uploads that were answered with 201. */
let uploads = 0;

async function upload(connections, port, i, worker) {
  const { head, body, waits } = UPLOADS[i % UPLOADS.length];
  // Half of its content is missing: an upload that nobody stores, and that has no answer but a 100.
  if (resets(i)) return sendAndReset(port, waits ? i : 1, waits ? head : head + body.slice(0, 500));
  let { connection, left } = connections[worker] ?? { left: 0 };
  if (left === 0) {
    connection?.socket.end();
    connection = new Connection(port);
    left = UPLOADS_PER_CONNECTION;
  }
  connections[worker] = { connection, left: left - 1 };
  connection.send(head);
  if (waits) {
    const interim = await connection.status();
    if (interim !== 100) throw new Error(`upload ${i}: ${interim} instead of 100`);
  }
  connection.send(body);
  const status = await connection.status();
  if (status !== 201) throw new Error(`upload ${i}: ${status} instead of 201`);
  uploads++;
}

/** @returns how long each exchange took, in milliseconds. */
async function exchanges(soaked, number) {
  const { http: port } = soaked.ports;
  const times = [];
  const timed = async (exchange) => {
    const startedAt = performance.now();
    await exchange;
    times.push(performance.now() - startedAt);
  };
  await inParallel(number, WIDTH, (i) => timed(refusal(port, i)));
  const connections = [];
  await inParallel(number, WIDTH, (i, worker) => timed(upload(connections, port, i, worker)));
  for (const { connection } of connections) {
    connection.socket.end();
    await connection.closed();
  }
  return times;
}

/** What one exchange costs: CPU time in microseconds, and the 99th percentile in milliseconds. The middle of so many windows. */
async function costOfExchanges(soaked, number) {
  const cpuUs = [];
  const p99Ms = [];
  for (let i = 0; i < WINDOWS; i++) {
    const size = Math.floor((number * (i + 1)) / WINDOWS) - Math.floor((number * i) / WINDOWS);
    const before = await soaked.cpuUs();
    const times = await exchanges(soaked, size);
    cpuUs.push(((await soaked.cpuUs()) - before) / (2 * size));
    p99Ms.push(times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)]);
  }
  return { cpuUs: median(cpuUs), p99Ms: median(p99Ms) };
}

function compareCost(first, second) {
  compareDrift("CPU of an exchange", "µs", first.cpuUs, second.cpuUs, CPU_DRIFT);
  compareDrift("99th percentile of its time", "ms", first.p99Ms, second.p99Ms, P99_DRIFT);
}

function compareDrift(what, unit, first, second, most) {
  const found = `${first.toFixed(1)} → ${second.toFixed(1)} ${unit}: ${(second / first).toFixed(3)}`;
  if (count < LEAST_FOR_DRIFT) console.log(`       ${what}, not judged in so short a run: ${found}`);
  else check(`${what}, second half over first`, second / first <= most, found);
}

async function http1() {
  const soaked = await Soaked.start();
  await exchanges(soaked, WARM_UP);
  const before = await soaked.settled();
  const startedAt = Date.now();
  const first = await costOfExchanges(soaked, count / 2);
  const half = await soaked.settled();
  const second = await costOfExchanges(soaked, count / 2);
  const seconds = (Date.now() - startedAt) / 1000;
  const after = await soaked.settled();
  compare(`HTTP/1.1, ${count} refusals and ${count} uploads (${seconds.toFixed(0)} s)`, before, half, after, 2 * count);
  compareCost(first, second);
  const { stored, asked, over } = after.counts;
  check("uploads stored, with those of the warm-up", stored === uploads, `${stored} of ${uploads}`);
  check("onClose, once for each request that policies saw", asked === over && asked > count, `${over} of ${asked}`);
  soaked.stop();
}

const H2_REFUSALS = [
  { ":path": "/size", ":method": "PUT", expect: "100-continue", "content-length": "104857600" },
  { ":path": "/auth", ":method": "POST", expect: "100-Continue" },
  { ":path": "/size", ":method": "PUT", expect: "teapot" },
  { ":path": "/type", ":method": "PUT", "content-type": "text/plain" },
  { ":path": "/nowhere", ":method": "PUT", expect: "100-continue" },
];

// A waiting client gets an empty refusal, the others one with a body; one client of ten leaves its side open: the server must end
// the stream then.
async function h2refusal(session, i) {
  const fields = H2_REFUSALS[i % H2_REFUSALS.length];
  const stream = session.request(fields, { endStream: false });
  const late = new Error(`stream ${i} (${fields[":path"]}): not answered and closed within ${STREAM_DEADLINE_MS} ms`);
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late), STREAM_DEADLINE_MS);
    stream.once("response", (headers) => {
      late.message += `, status ${headers[":status"]}`;
      if (i % 10 !== 0) stream.end();
      if (headers[":status"] < 400) reject(new Error(`stream ${i}: ${headers[":status"]}`));
    });
    stream.on("error", () => {});
    stream.once("end", () => {
      late.message += ", ended";
    });
    stream.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    stream.resume();
  });
}

async function h2exchanges(soaked, number) {
  for (const address of [`http://127.0.0.1:${soaked.ports.h2c}`, `https://127.0.0.1:${soaked.ports.h2}`]) {
    const session = http2.connect(address, { rejectUnauthorized: false });
    await inParallel(number, 4 * WIDTH, (i) => h2refusal(session, i));
    const ping = await new Promise((resolve) => session.ping((error) => resolve(!error)));
    check(
      `the session lives behind ${number} refusals (${new URL(address).protocol})`,
      ping && !session.destroyed,
      ping,
    );
    session.close();
    await once(session, "close");
  }
}

async function h2() {
  const soaked = await Soaked.start();
  const number = evenly(Math.max(1_000, count / 10));
  await h2exchanges(soaked, WARM_UP);
  const before = await soaked.settled();
  await h2exchanges(soaked, number / 2);
  const half = await soaked.settled();
  await h2exchanges(soaked, number / 2);
  const after = await soaked.settled();
  compare("HTTP/2 refusals, h2c and h2", before, half, after, 2 * number);
  soaked.stop();
}

const VANISHING = [
  `PUT /vanish HTTP/1.1\r\n${HEAD}${WAITS}Content-Length: 1000\r\n`,
  `POST /vanish HTTP/1.1\r\n${HEAD}${WAITS}Transfer-Encoding: chunked\r\n`,
  `GET /vanish HTTP/1.1\r\n${HEAD}${WAITS}`,
];

// Before the verdict: gone with the head still on the way. During it: when the policy says that it is at work.
async function vanish(soaked, waiting, i) {
  const connection = new Connection(soaked.ports.http);
  const { socket } = connection;
  await once(socket, "connect");
  connection.send(`${VANISHING[i % VANISHING.length]}X-Client: ${i}\r\n\r\n`);
  if (i % 4 >= 2) await new Promise((resolve) => waiting.set(String(i), resolve));
  else if (i % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
  if (i % 2 === 0) socket.resetAndDestroy();
  else socket.end();
  await connection.closed();
}

async function vanishing(soaked, number) {
  const waiting = new Map();
  soaked.onJudging = (client) => {
    waiting.get(client)?.();
    waiting.delete(client);
  };
  await inParallel(number, 4 * WIDTH, (i) => vanish(soaked, waiting, i));
}

async function vanished() {
  const soaked = await Soaked.start();
  const number = evenly(Math.max(1_000, count / 10));
  await vanishing(soaked, WARM_UP);
  const before = await soaked.settled();
  await vanishing(soaked, number / 2);
  const half = await soaked.settled();
  await vanishing(soaked, number / 2);
  const after = await soaked.settled();
  compare("clients that vanish before and during the verdict", before, half, after, number);
  const { ran, judged, aborted } = after.counts;
  check("handlers run for them", ran === 0, ran);
  check("signals aborted, of the verdicts begun", aborted === judged && judged > number / 2, `${aborted} of ${judged}`);
  soaked.stop();
}

console.log(`soak: Node ${process.versions.node}`);
if (runsAll) await http1();
if (runsAll || values.h2) await h2();
if (runsAll || values.vanish) await vanished();
console.log(`\nsoak: ${misses === 0 ? "nothing stays" : `${misses} missed`}`);
process.exitCode = misses === 0 ? 0 : 1;
