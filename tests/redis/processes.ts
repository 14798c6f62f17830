import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { deadline } from "../helpers/deadline.js";

const REPOSITORY = path.resolve(__dirname, "../..");

/** A folder with src as JavaScript modules and a program beside it, for processes that know nothing of TypeScript. */
export function transpiled(program: string): string {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "expectations-processes-")));
  const source = path.join(REPOSITORY, "src");
  const files = (fs.readdirSync(source, { recursive: true }) as string[]).filter((name) => name.endsWith(".ts"));
  const args = ["--format=esm", "--target=node20", "--log-level=error", "--outbase=.", `--outdir=${folder}/src`];
  execFileSync(path.join(REPOSITORY, "node_modules/.bin/esbuild"), [...files, ...args], { cwd: source });
  fs.writeFileSync(path.join(folder, "package.json"), '{"type":"module"}');
  fs.symlinkSync(path.join(REPOSITORY, "node_modules"), path.join(folder, "node_modules"), "junction");
  fs.copyFileSync(program, path.join(folder, path.basename(program)));
  return folder;
}

/** A server in a process of its own, which prints its port and then a line of JSON for each record. */
export class ServerProcess {
  readonly records: { level: string; message: string; status?: number; err?: string }[] = [];
  #output = "";
  readonly #child: ChildProcess;

  constructor(program: string, options: object) {
    this.#child = spawn(process.execPath, [program, JSON.stringify(options)], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
      });
    }
    let rest = "";
    this.#child.stdout?.on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.startsWith("{")) this.records.push(JSON.parse(line));
    });
  }

  async port(): Promise<number> {
    const signal = AbortSignal.timeout(deadline(15_000));
    for (;;) {
      const match = /^listening on (\d+)$/m.exec(this.#output);
      if (match) return Number(match[1]);
      if (this.#child.exitCode !== null || signal.aborted) throw new Error(`no port:\n${this.#output}`);
      await once(this.#child.stdout as NonNullable<ChildProcess["stdout"]>, "data", { signal }).catch(() => {});
    }
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get output(): string {
    return this.#output;
  }

  async stop(): Promise<void> {
    if (!this.isRunning) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}
