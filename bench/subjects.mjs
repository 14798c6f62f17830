// Starts and ends the servers that are measured, each in a process of its own.
import { execFileSync, fork, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../tests/helpers/ports.cjs";
import { ask, messageOf } from "./children.mjs";

const at = (file) => fileURLToPath(new URL(`servers/${file}`, import.meta.url));

/** Servers and load generator on a core each, where there is a program for it. */
const canPin = cpus().length > 1 && spawnSync("taskset", ["--version"]).status === 0;

export function pin(pid, core) {
  if (canPin) spawnSync("taskset", ["-a", "-cp", String(core), String(pid)]);
}

/** CPU time of a process with its threads and children, in milliseconds: to the nanosecond, whatever it is written in. */
function cpuMsOf(pid) {
  let ns = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    ns += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]);
  }
  return ns / 1e6;
}

function childrenOf(pid) {
  const { stdout } = spawnSync("ps", ["--ppid", String(pid), "-o", "pid="], { encoding: "utf8" });
  return stdout.split("\n").map(Number).filter(Boolean);
}

export class Subject {
  constructor(name, child, port, pids, cleanUp) {
    this.name = name;
    this.child = child;
    this.port = port;
    this.pids = pids;
    this.cleanUp = cleanUp;
    for (const pid of pids) pin(pid, 0);
  }

  cpuMs() {
    return this.pids.reduce((sum, pid) => sum + cpuMsOf(pid), 0);
  }

  /** The part of it in the kernel, in milliseconds, to a hundredth of a second. */
  kernelMs() {
    return this.pids.reduce((sum, pid) => {
      return sum + Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ")[12]) * 10;
    }, 0);
  }

  /** Resident memory, in bytes. */
  rss() {
    return this.pids.reduce((sum, pid) => {
      const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
      return sum + Number(kib) * 1024;
    }, 0);
  }

  /** What a Node process says about its memory after a collection; `undefined` for others. */
  async memory() {
    if (!this.child.connected) return undefined;
    return ask(this.child, "gc");
  }

  decide() {
    this.child.send("decide");
  }

  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, "exit");
      this.child.kill("SIGTERM");
      await ended;
    }
    this.cleanUp?.();
  }
}

/**
 * Starts a server of Node's.
 *
 * @param options - those of `fork()`; `tree` is another tree of this package, built, whose server is started.
 */
export async function startNode(name, { tree, ...options }) {
  const program = tree === undefined ? at("node.mjs") : join(tree, "bench/servers/node.mjs");
  const child = fork(program, [name], options);
  const { port } = await messageOf(child);
  return new Subject(name, child, port, [child.pid]);
}

async function printed(name, child, cleanUp) {
  let text = "";
  child.stdout.setEncoding("utf8");
  while (!text.includes("\n")) text += (await once(child.stdout, "data"))[0];
  return new Subject(name, child, Number(text), [child.pid], cleanUp);
}

async function go(name) {
  const folder = mkdtempSync(join(tmpdir(), "expectations-bench-"));
  execFileSync("go", ["build", "-o", join(folder, "server"), at("server.go")], {
    env: { ...process.env, GOCACHE: folder },
  });
  const child = spawn(join(folder, "server"), {
    env: { ...process.env, GOMAXPROCS: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return printed(name, child, () => rmSync(folder, { recursive: true, force: true }));
}

const PYTHON = ["/usr/bin/python3", "python3"].find(
  (python) => spawnSync(python, ["-c", "import aiohttp"]).status === 0,
);

async function aiohttp(name) {
  return printed(name, spawn(PYTHON, [at("server.py")], { stdio: ["ignore", "pipe", "ignore"] }));
}

async function nginx(name) {
  const folder = mkdtempSync(join(tmpdir(), "expectations-bench-"));
  const port = await freePort();
  const file = join(folder, "nginx.conf");
  writeFileSync(file, readFileSync(at("nginx.conf"), "utf8").replace("127.0.0.1:8080", `127.0.0.1:${port}`));
  const child = spawn("nginx", ["-p", folder, "-c", file], {
    env: PATH_WITH_SBIN,
    stdio: ["ignore", "ignore", "inherit"],
  });
  await accepts(port);
  return new Subject(name, child, port, [child.pid, ...childrenOf(child.pid)], () =>
    rmSync(folder, { recursive: true, force: true }),
  );
}

const PATH_WITH_SBIN = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

export async function accepts(port) {
  const { connect } = await import("node:net");
  const deadline = performance.now() + 5_000;
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const isOpen = await new Promise((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    if (performance.now() > deadline) throw new Error(`nothing listens on ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Peers that may not be on the machine: why one is missing, or nothing. */
const MISSING = {
  Go: () => spawnSync("go", ["version"]).status !== 0 && "go is not installed",
  nginx: () => spawnSync("nginx", ["-v"], { env: PATH_WITH_SBIN }).status !== 0 && "nginx is not installed",
  aiohttp: () => PYTHON === undefined && "no python3 with aiohttp",
};

/** Why a subject cannot be measured here; `undefined` where it can. */
export function missing(name) {
  return MISSING[name]?.() || undefined;
}

/** Starts a subject by its name in the tables; those that are Node's, on the binary given and with more of an environment. */
export function startSubject(name, execPath = process.execPath, env = {}) {
  switch (name) {
    case "Go":
      return go(name);
    case "nginx":
      return nginx(name);
    case "aiohttp":
      return aiohttp(name);
    default:
      return startNode(name, { execPath, execArgv: ["--expose-gc"], env: { ...process.env, ...env } });
  }
}
