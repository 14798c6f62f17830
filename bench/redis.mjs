// Debian's Redis on a port of its own, for the quota that is shared.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../tests/helpers/ports.cjs";
import { accepts } from "./subjects.mjs";

export async function startRedis() {
  if (spawnSync("redis-server", ["--version"]).status !== 0)
    return { missing: "redis-server is not installed", stop() {} };
  const folder = mkdtempSync(join(tmpdir(), "expectations-bench-"));
  const port = await freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  const child = spawn("redis-server", args, { stdio: "ignore" });
  await accepts(port);
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      const ended = once(child, "exit");
      child.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
