import { PassThrough } from "node:stream";
import type { Terminal } from "../../src/cli/command.js";
import { main } from "../../src/cli/main.js";
import type { ProbeResult } from "../../src/probe/result.js";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as the program does, with streams of its own. */
export async function runProbe(args: readonly string[], { isTTY = false, answer = "" } = {}): Promise<Ran> {
  const output = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => {
    const through = new PassThrough();
    through.setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
    return Object.assign(through, { isTTY });
  };
  const stdin = Object.assign(new PassThrough(), { isTTY });
  if (answer !== "") stdin.write(answer);
  const terminal: Terminal = { stdin, stdout: stream("stdout"), stderr: stream("stderr"), env: { NO_COLOR: "1" } };
  const code = await main(["probe", ...args], terminal);
  return { code, ...output };
}

/** The same for its JSON. */
export async function probeJson(...args: string[]): Promise<ProbeResult> {
  const { stdout, stderr } = await runProbe(["--json", ...args]);
  if (stderr !== "") throw new Error(stderr);
  return JSON.parse(stdout) as ProbeResult;
}

/** The codes of all findings, notes included. */
export function codesOf({ findings }: ProbeResult): string[] {
  return findings.map(({ code }) => code).sort();
}
