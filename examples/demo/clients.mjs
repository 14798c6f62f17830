import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

const DEADLINE_MS = 15_000;

/** The first line of `curl --version`; `undefined` where curl is not installed. */
export function curlVersion() {
  const { error, stdout } = spawnSync("curl", ["--version"], { encoding: "utf8" });
  return error ? undefined : stdout.split("\n", 1)[0].split(" ").slice(0, 2).join(" ");
}

/**
 * Runs curl.
 *
 * @param folder - where it runs; holds the `.curlrc` that replaces the user's own.
 * @returns its exit code, what it wrote to standard error, and how many bytes it says it uploaded.
 */
export async function runCurl(args, folder) {
  const child = spawn("curl", args, { cwd: folder, env: { ...process.env, CURL_HOME: folder }, timeout: DEADLINE_MS });
  const stdout = [];
  const stderr = [];
  child.stdout.on("data", (chunk) => stdout.push(chunk));
  child.stderr.on("data", (chunk) => stderr.push(chunk));
  const [code, signal] = await once(child, "close");
  return {
    code: code ?? signal,
    said: Buffer.concat(stderr).toString(),
    uploaded: Number(Buffer.concat(stdout).toString().split("uploaded=").at(-1)),
  };
}
