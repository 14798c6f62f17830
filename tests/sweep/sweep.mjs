// npm run sweep -- [--every N] [--seed N] [--resets N] [--only 'http /refuse withheld RST']
//
// Clients that leave, by FIN or by RST, at each byte of a request: withheld, pushed and chunked content; accepted,
// refused at once and later, cut off at a limit, with a policy that fails; over http, https, h2c and h2. Behind each
// group of them nothing may stay in the server: no connection, session, reader or place, and every policy, request and
// response has been told of its end. `--every N` leaves at one byte of N, another one for each seed.
// Then as many resets, at any time around a refusal, as `--resets` says (2,000 without it).
// Exit code 1 where something stays.
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as after } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Random } from "../fuzz/random.mjs";
import { settled } from "../helpers/patience.mjs";
import { openTransport } from "../helpers/transports.mjs";
import { inParallel } from "../soak/client.mjs";
import { bytesOf, PATHS, SHAPES } from "./requests.mjs";

const { values } = parseArgs({
  options: {
    every: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    resets: { type: "string", default: "2000" },
    only: { type: "string" },
  },
});
const PROTOCOLS = ["http", "https", "h2c", "h2"];
const WAYS = ["FIN", "RST"];
const WIDTH = 24;
/** A client stays so long behind its last byte, in ms: another state of the server each. */
const PAUSES_MS = [0, 0, 1, 4, 12];
const CLOSE_DEADLINE_MS = 10_000;
/** Around the time when a refusal is written and read. */
const RESET_WITHIN_MS = 12;

const server = fork(new URL("server.mjs", import.meta.url));
server.once("exit", (code, signal) => {
  console.log(`FAILED: the server's process ended with ${signal ?? code}`);
  process.exit(1);
});
const [{ ports }] = await once(server, "message");
const random = new Random(Number(values.seed), 0);
let failures = 0;
let played = 0;
let last;

/** Sends bytes and leaves. Behind a FIN the server's end is waited for: it must close its side. */
async function leave(protocol, bytes, way, pauseMs) {
  const transport = openTransport(protocol, { port: ports[protocol] });
  const { stream, raw } = transport;
  stream.resume();
  await transport.ready;
  const closed = new Promise((resolve) => raw.once("close", () => resolve(true)));
  if (raw.destroyed) return `${protocol}: no connection`;
  if (bytes.length > 0) await new Promise((resolve) => stream.write(bytes, resolve));
  if (pauseMs > 0) await after(pauseMs);
  played++;
  if (way === "RST") {
    transport.reset();
    return undefined;
  }
  transport.fin();
  if (await settled(closed, CLOSE_DEADLINE_MS)) return undefined;
  raw.destroy();
  return `behind ${bytes.length} bytes and a FIN, the server keeps its side open`;
}

/** Plays a group of clients, and then asks what stays. */
async function group(name, clients) {
  if (values.only !== undefined && values.only !== name) return;
  const faults = [];
  await inParallel(clients.length, WIDTH, async (i) => {
    const fault = await leave(...clients[i]);
    if (fault) faults.push(fault);
  });
  server.send({});
  const [found] = await once(server, "message");
  last = found.counts;
  faults.push(...found.faults);
  if (faults.length === 0) return;
  failures++;
  console.log(`FAILED ${name} (${clients.length} clients):\n  ${[...new Set(faults)].join("\n  ")}`);
}

async function sweep(protocol, path, shape) {
  const bytes = await bytesOf(protocol, shape, path);
  const step = Number(values.every);
  for (const way of WAYS) {
    const clients = [];
    for (let length = random.below(step); length <= bytes.length; length += step) {
      clients.push([protocol, bytes.subarray(0, length), way, random.pick(PAUSES_MS)]);
    }
    await group(`${protocol} ${path} ${shape} ${way}`, clients);
  }
}

async function resets(protocol, path, count) {
  const whole = await bytesOf(protocol, "withheld", path);
  // The content is withheld: 40 bytes, in HTTP/2 in a frame with a head of 9.
  const head = whole.subarray(0, whole.length - (protocol.startsWith("h2") ? 49 : 40));
  const clients = Array.from({ length: count }, () => [protocol, head, "RST", random.float() * RESET_WITHIN_MS]);
  await group(`${protocol} ${path} resets`, clients);
}

const startedAt = performance.now();
for (const protocol of PROTOCOLS) {
  for (const path of PATHS) for (const shape of SHAPES) await sweep(protocol, path, shape);
}
const swept = played;
const RESET_PATHS = ["/refuse", "/refuse-later", "/refuse-large", "/accept"];
const share = Math.ceil(Number(values.resets) / PROTOCOLS.length / RESET_PATHS.length);
for (const protocol of PROTOCOLS) for (const path of RESET_PATHS) await resets(protocol, path, share);
server.removeAllListeners("exit");
server.disconnect();

const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
console.log(
  `sweep: Node ${process.versions.node}, seed ${values.seed}, ${swept} clients that left within a request and ${played - swept} resets around an answer in ${seconds} s; ${last?.judged} requests judged; ${failures} groups failed`,
);
process.exitCode = failures > 0 || played === 0 ? 1 : 0;
