import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import ts from "typescript";

const REPOSITORY = path.resolve(__dirname, "../..");

/** A folder with src as JavaScript modules and a program beside it, for processes that know nothing of TypeScript. */
export function transpiled(program: string): string {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "expectations-processes-")));
  const source = path.join(REPOSITORY, "src");
  for (const name of fs.readdirSync(source, { recursive: true }) as string[]) {
    if (!name.endsWith(".ts")) continue;
    const { outputText } = ts.transpileModule(fs.readFileSync(path.join(source, name), "utf8"), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true },
    });
    const target = path.join(folder, "src", name.replace(/\.ts$/, ".js"));
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, outputText);
  }
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
    const deadline = AbortSignal.timeout(15_000);
    for (;;) {
      const match = /^listening on (\d+)$/m.exec(this.#output);
      if (match) return Number(match[1]);
      if (this.#child.exitCode !== null || deadline.aborted) throw new Error(`no port:\n${this.#output}`);
      await once(this.#child.stdout as NonNullable<ChildProcess["stdout"]>, "data", { signal: deadline }).catch(
        () => {},
      );
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
