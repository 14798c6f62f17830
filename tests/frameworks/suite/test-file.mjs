// A recipe that is a test file: it passes or fails by its exit code.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { PLACE } from "./place.mjs";

const DEADLINE_MS = 60_000;

/** Runs a test file: by vitest if its name ends in `.spec.mjs`, by `node:test` otherwise. */
export async function runTest({ recipe }, on, env) {
  const file = join(PLACE, "recipes", recipe);
  const args = recipe.endsWith(".spec.mjs") ? vitest(file) : [file];
  const [command, ...options] = on.command;
  const child = spawn(command, [...options, ...args], {
    cwd: dirname(file),
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: DEADLINE_MS,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const [code, signal] = await once(child, "close");
  return { cells: {}, faults: code === 0 ? [] : [`ended with ${code ?? signal}: ${output}`] };
}

function vitest(file) {
  const folder = dirname(createRequire(import.meta.url).resolve("vitest/package.json"));
  return [join(folder, "vitest.mjs"), "run", "--root", dirname(file), basename(file)];
}
