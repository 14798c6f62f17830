import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deadline } from "../helpers/deadline.js";
import { freePort } from "../helpers/ports.cjs";

/** Why tests against Redis cannot run here; `undefined` where they can. Says so on standard error. */
export function reasonToSkipRedis(): string | undefined {
  const { error } = spawnSync("redis-server", ["--version"]);
  if (!error) return undefined;
  const reason = `redis-server cannot be started (${(error as NodeJS.ErrnoException).code ?? error.message})`;
  process.stderr.write(`skipped: tests with a real Redis: ${reason}; on Debian: apt-get install redis-server\n`);
  return reason;
}

const DEADLINE_MS = 10_000;

/** Debian's Redis on a port of its own, which keeps nothing on disk: what is stopped has forgotten all. */
export class RedisServer {
  #child: ChildProcess | undefined;
  readonly #folder = mkdtempSync(join(tmpdir(), "expectations-redis-"));

  private constructor(readonly port: number) {}

  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await freePort());
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const args = ["--port", String(this.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    const child = spawn("redis-server", [...args, "--dir", this.#folder], { stdio: "ignore" });
    this.#child = child;
    const end = performance.now() + deadline(DEADLINE_MS);
    while (!(await answers(this.port))) {
      if (child.exitCode !== null || performance.now() > end) {
        throw new Error(`redis-server does not answer on port ${this.port} (exit code ${child.exitCode})`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends it as a machine that fails would. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  /** From here on nothing is answered, and no connection ends. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  async remove(): Promise<void> {
    this.thaw();
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    const end = (isAlive: boolean) => {
      socket.destroy();
      resolve(isAlive);
    };
    socket.setTimeout(deadline(1_000), () => end(false));
    socket.on("data", (reply) => end(reply.toString().startsWith("+PONG")));
    socket.on("error", () => end(false));
  });
}
