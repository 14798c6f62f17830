// Starts a server under comparison as a child process, and asks it.
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

const folder = import.meta.dirname;

/** Builds the Go server into a folder. */
export function buildGo(into) {
  const program = join(into, "go-server");
  const env = { ...process.env, GOFLAGS: "-mod=mod" };
  const { status, stderr, error } = spawnSync("go", ["build", "-o", program, join(folder, "server.go")], {
    encoding: "utf8",
    env,
  });
  if (status !== 0) throw new Error(`go build: ${error?.message ?? stderr}`);
  return program;
}

/** A child process with one server: `port`, and `crash` and `faults` that it told of. */
export class Server {
  crash = undefined;
  faults = [];
  /** Go says `close`, and then waits for the content before it ends the connection. */
  waitsBehindClose = false;
  #asked = new Map();
  #nextId = 0;

  static async start(name, program) {
    const server = new Server();
    server.waitsBehindClose = name === "go";
    const [command, ...args] =
      name === "go"
        ? [program]
        : [process.execPath, join(folder, "servers.mjs"), name === "ours" ? "attached" : "bare"];
    server.child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    server.child.stdin.on("error", () => {});
    await new Promise((resolve, reject) => {
      createInterface({ input: server.child.stdout }).on("line", (line) => {
        const { id, result, port, ...told } = JSON.parse(line);
        if (port !== undefined) {
          server.port = port;
          resolve();
        } else if (id !== undefined) server.#answer(id, result);
        else server.#hear(told);
      });
      server.child.once("exit", (code, signal) => {
        server.crash ??= `the server's process ended with ${signal ?? code}`;
        for (const id of [...server.#asked.keys()]) server.#answer(id, undefined);
        reject(new Error(server.crash));
      });
    });
    return server;
  }

  #answer(id, result) {
    this.#asked.get(id)?.(result);
    this.#asked.delete(id);
  }

  #hear({ fault, crash }) {
    if (fault !== undefined) this.faults.push(fault);
    if (crash !== undefined) this.crash = crash;
  }

  /** @returns the answer, `undefined` once the process has ended. */
  ask(question) {
    if (this.crash) return Promise.resolve(undefined);
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      this.child.stdin.write(`${id} ${question}\n`);
    });
  }

  stop() {
    this.child.removeAllListeners("exit");
    this.child.stdin.end();
    if (this.child.exitCode === null) this.child.kill();
  }
}
