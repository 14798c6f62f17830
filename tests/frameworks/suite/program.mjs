// A recipe as a running program.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { patiently } from "../../helpers/patience.mjs";
import { freePort } from "../../helpers/ports.cjs";

/** Nothing asks its maker for updates, or tells it anything. */
const QUIET = { NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1", DENO_NO_UPDATE_CHECK: "1" };
const START_MS = 20_000;
const STOP_MS = 3_000;

export class Program {
  output = "";

  /**
   * Starts a program and waits until its port accepts connections.
   *
   * @param command - the runtime and its arguments; the program gets its port as `PORT`.
   */
  static async start(command, { cwd, env = {} }) {
    const program = new Program();
    program.port = await freePort();
    const [file, ...args] = command;
    program.child = spawn(file, args, {
      cwd,
      env: { ...process.env, ...QUIET, ...env, PORT: String(program.port) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    program.child.once("error", (error) => {
      program.output += error.message;
    });
    for (const stream of [program.child.stdout, program.child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        program.output = (program.output + text).slice(-20_000);
      });
    }
    const isListening = await patiently(async () => program.hasExited || (await accepts(program.port)), START_MS);
    if (program.hasExited || !isListening) {
      await program.stop();
      throw new Error(`does not listen: ${program.output}`);
    }
    return program;
  }

  get pid() {
    return this.child.pid;
  }

  get hasExited() {
    return this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** What the program has died of, or has nearly died of. */
  faultOf() {
    if (this.hasExited) return `the process has ended: ${this.output.slice(-500)}`;
    return /^.*(?:uncaught ?exception|unhandled ?(?:promise)? ?rejection).*$/im.exec(this.output)?.[0];
  }

  async stop() {
    if (this.hasExited) return;
    const exited = once(this.child, "exit");
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), STOP_MS);
    await exited;
    clearTimeout(timer);
  }
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const settle = (isOpen) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once("connect", () => settle(true)).once("error", () => settle(false));
  });
}
