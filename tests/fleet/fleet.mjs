// Redis, HAProxy and two instances behind it, each in processes of its own, ended by their process ids.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { freePort } from "../helpers/ports.cjs";

// Where Debian has haproxy, and not every user's PATH.
process.env.PATH += ":/usr/sbin";

const DEADLINE_MS = 60_000;
export const INSTANCE = fileURLToPath(new URL("instance.mjs", import.meta.url));
const CONFIGURATION = fileURLToPath(new URL("haproxy.cfg", import.meta.url));

/** The option `--uploads` of a program. */
export function countOption() {
  const { values } = parseArgs({ options: { uploads: { type: "string", default: "110" } } });
  const count = Number(values.uploads);
  if (!Number.isInteger(count) || count < 50) throw new Error("--uploads takes a number, 50 or more");
  return count;
}

/** Ends the process with the reason if a program is not installed. */
export function reasonToSkip(...programs) {
  const missing = programs.filter((name) => spawnSync(name, ["-v"]).error);
  if (missing.length === 0) return;
  console.log(`skipped: ${missing.join(" and ")} not installed`);
  process.exit(0);
}

/** Ends a program with what went wrong. */
export function end(faults) {
  for (const fault of faults) console.error(`fault: ${fault}`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}

export class Fleet {
  /** What no instance should have printed. */
  faults = [];
  #folder = mkdtempSync(join(tmpdir(), "expectations-fleet-"));
  #instances = new Map();
  #programs = [];

  static async start(options) {
    const fleet = new Fleet();
    try {
      await fleet.#start(options);
    } catch (error) {
      await fleet.stop();
      throw error;
    }
    return fleet;
  }

  async #start(options) {
    this.redisPort = await freePort();
    this.#programs.push(await startRedis(this.redisPort, this.#folder));
    this.options = { ...options, redisPort: this.redisPort };
    const ports = { first: await freePort(), second: await freePort() };
    await Promise.all(Object.entries(ports).map(([name, port]) => this.#startInstance(name, port)));
    const port = await freePort();
    const text = readFileSync(CONFIGURATION, "utf8")
      .replaceAll(/\b8080\b/g, port)
      .replaceAll(/\b3000\b/g, ports.first)
      .replaceAll(/\b3001\b/g, ports.second);
    const file = join(this.#folder, "haproxy.cfg");
    writeFileSync(file, text);
    this.#programs.push(await program("haproxy", ["-db", "-f", file], port));
    this.url = `http://127.0.0.1:${port}`;
  }

  async #startInstance(name, port) {
    const instance = new Instance(name, port, { ...this.options, port }, this.faults);
    this.#instances.set(name, instance);
    await instance.ready();
  }

  /** Ends an instance as a service manager does, and starts it again. Returns what its workers had under way. */
  async restart(name) {
    const begunAt = performance.now();
    const old = this.#instances.get(name);
    await old.end();
    await this.#startInstance(name, old.port);
    const sum = (event, key) => old.lines.filter((line) => line.event === event).reduce((n, line) => n + line[key], 0);
    const drained = old.lines.filter(({ event }) => event === "drained").length;
    if (drained !== this.options.workers) this.faults.push(`${name}: ${drained} workers were drained`);
    return {
      judged: sum("refusing", "judged"),
      read: sum("refusing", "read"),
      refusedUploads: sum("drained", "refusedUploads"),
      cutConnections: sum("drained", "cutConnections"),
      tookMs: Math.round(performance.now() - begunAt),
    };
  }

  async stop() {
    await Promise.all([...this.#instances.values()].map((instance) => instance.end()));
    for (const child of this.#programs) await kill(child);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

class Instance {
  lines = [];

  constructor(name, port, options, faults) {
    this.name = name;
    this.port = port;
    const env = { ...process.env, FLEET: JSON.stringify(options) };
    this.child = spawn(process.execPath, [INSTANCE], { env, stdio: ["ignore", "pipe", "inherit"] });
    this.exited = once(this.child, "exit");
    let rest = "";
    this.child.stdout.setEncoding("utf8").on("data", (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      for (const line of lines) this.#note(JSON.parse(line), faults);
    });
  }

  #note(line, faults) {
    this.lines.push(line);
    // The last upload of each user is refused on purpose.
    if (line.event === "fault" || line.event === "died" || (line.event === "refused" && line.status !== 429)) {
      faults.push(`${this.name}: ${JSON.stringify(line)}`);
    }
  }

  ready() {
    return until(`${this.name} listens`, () => {
      if (this.child.exitCode !== null) throw new Error(`${this.name} has ended with ${this.child.exitCode}`);
      return this.lines.some(({ event }) => event === "ready");
    });
  }

  async end() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), DEADLINE_MS);
    await this.exited;
    clearTimeout(timer);
  }
}

async function program(command, args, port) {
  const child = spawn(command, args, { stdio: "ignore" });
  await until(`${command} listens on ${port}`, () => {
    if (child.exitCode !== null) throw new Error(`${command} has ended with ${child.exitCode}`);
    return accepts(port);
  });
  return child;
}

/** Starts Debian's Redis, which keeps nothing on disk. */
export function startRedis(port, folder) {
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  return program("redis-server", args, port);
}

export async function kill(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

export async function until(what, isTrue) {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`not within ${DEADLINE_MS} ms: ${what}`);
    await sleep(20);
  }
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
