import { spawn, spawnSync } from "node:child_process";
import { test } from "@jest/globals";
import { deadline } from "./deadline.js";

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; ends it at the deadline, which fails. Rejects where it cannot be started. */
export function run(command: string, args: readonly string[], waitMs = 20_000): Promise<Ran> {
  const deadlineMs = deadline(waitMs);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (chunk: string) => {
        output[name] += chunk;
      });
    }
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(
        new Error(`not within ${deadlineMs} ms: ${command} ${args.join(" ")}\n${output.stdout}\n${output.stderr}`),
      );
    }, deadlineMs);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, ...output });
    });
  });
}

/** Why a program cannot be used here; `undefined` where it can. */
export function whyMissing(command: string, ...versionArgs: string[]): string | undefined {
  const { error, status, stderr } = spawnSync(command, versionArgs, { encoding: "utf8", timeout: deadline(20_000) });
  if (error) return `${command} cannot be started: ${(error as NodeJS.ErrnoException).code ?? error.message}`;
  return status === 0 ? undefined : `${command} ${versionArgs.join(" ")} ended with ${status}: ${stderr.trim()}`;
}

/** `test`; or where there is a reason, `test.skip`, and the reason on the standard output. */
export function testUnless(reason: string | undefined): typeof test | typeof test.skip {
  if (reason === undefined) return test;
  process.stdout.write(`skipped: ${reason}\n`);
  return test.skip;
}

/** Calls `job` for each of `items`, at most `width` at the same time. */
export async function pool<T, R>(items: readonly T[], width: number, job: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const rest = items.entries();
  const work = async () => {
    for (const [i, item] of rest) results[i] = await job(item);
  };
  await Promise.all(Array.from({ length: width }, work));
  return results;
}
