import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync } from "node:fs";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { deadline } from "../helpers/deadline.js";

export const REPOSITORY: string = path.resolve(__dirname, "../..");

const run = promisify(execFile);

const COPIED = [
  ".ci/build.mjs",
  ".ci/bundles.mjs",
  ".ci/page-scripts.cjs",
  ".ci/prune.mjs",
  "docs",
  "src",
  "examples",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "tsconfig.cjs.json",
  "tsconfig.browser.json",
  "tsconfig.pages.json",
  "README.md",
  "CHANGELOG.md",
  "SECURITY.md",
  "LICENSE",
];

/**
 * A copy of the project in a temporary folder, so that building and packing it disturbs nobody who uses `dist/`, and
 * never tests a `dist/` that is older than the source.
 */
export class Checkout {
  readonly #started = new Set<Program>();

  private constructor(readonly folder: string) {}

  static async make(): Promise<Checkout> {
    const folder = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), "expectations-checkout-")));
    for (const name of COPIED) cpSync(path.join(REPOSITORY, name), path.join(folder, name), { recursive: true });
    await fs.symlink(path.join(REPOSITORY, "node_modules"), path.join(folder, "node_modules"), "junction");
    return new Checkout(folder);
  }

  /** Makes `dist/` a link to a build of the very same source, which the checkouts share. */
  async build(): Promise<void> {
    const kept = await command(process.execPath, [".ci/build.mjs", "--print"], this.folder);
    await fs.symlink(kept.trimEnd(), path.join(this.folder, "dist"), "junction");
  }

  async write(name: string, text: string): Promise<string> {
    const file = path.join(this.folder, name);
    await fs.mkdir(path.dirname(file), { recursive: true });
    await fs.writeFile(file, text);
    return file;
  }

  /** Starts a program of this checkout, by default with the Node that runs the tests. */
  start(args: readonly string[], env: NodeJS.ProcessEnv = {}, node: string = process.execPath): Program {
    // jest sets FORCE_COLOR for its workers, which would defeat NO_COLOR.
    const program = new Program(args, this.folder, { ...process.env, FORCE_COLOR: undefined, ...env }, node);
    this.#started.add(program);
    return program;
  }

  async remove(): Promise<void> {
    await Promise.all([...this.#started].map((program) => program.stop()));
    await fs.rm(this.folder, { recursive: true, force: true });
  }
}

/** Runs a command to its end; fails with all that it said. */
export async function command(name: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    const { stdout } = await run(name, args, { cwd, timeout: deadline(120_000), maxBuffer: 64 * 2 ** 20 });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${name} ${args.join(" ")} failed\n${stdout ?? ""}\n${stderr ?? ""}\n${String(error)}`);
  }
}

const DEADLINE_MS = 15_000;

/** A Node program in a process of its own. */
export class Program {
  output = "";
  exitCode: number | null | undefined;
  readonly #child;
  readonly #ended: Promise<unknown>;

  constructor(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv, node: string) {
    this.#child = spawn(node, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
    this.#ended = once(this.#child, "close").then(([code]) => {
      this.exitCode = code;
    });
  }

  /** Waits until the program has printed a match; fails when it ends before, or is late. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const { stdout } = this.#child;
    const signal = AbortSignal.timeout(deadline(DEADLINE_MS));
    for (;;) {
      const match = pattern.exec(this.output);
      if (match) return match;
      if (this.exitCode !== undefined || signal.aborted) {
        throw new Error(`printed no ${pattern} (exit code ${this.exitCode ?? "none"}):\n${this.output}`);
      }
      await Promise.race([once(stdout, "data", { signal }).catch(() => {}), this.#ended]);
    }
  }

  /** Waits for the port in the line that every example prints once it listens. */
  async port(): Promise<number> {
    return Number((await this.printed(/listening on http:\/\/127\.0\.0\.1:(\d+)/))[1]);
  }

  /** Waits for the program's own end; one that is late is ended, and its exit code is null. */
  async end(deadlineMs: number = DEADLINE_MS): Promise<number | null | undefined> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), deadline(deadlineMs));
    await this.#ended;
    clearTimeout(timer);
    return this.exitCode;
  }

  async stop(): Promise<void> {
    if (this.exitCode === undefined) this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
