import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** A small file system of its own, in memory. */
export interface SmallDisk {
  readonly folder: string;
  /** Removes everything on it. */
  empty(): void;
  remove(): void;
}

/**
 * Mounts a small file system, which needs the rights of root.
 *
 * @param bytes - its size, a multiple of 4 KiB.
 * @returns why there is none where it cannot be mounted; says so on standard error, too.
 */
export function mountSmallDisk(bytes: number): SmallDisk | string {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "expectations-disk-")));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder], { stdio: "pipe" });
  } catch (error) {
    fs.rmdirSync(folder);
    const reason = `no file system can be mounted: ${String((error as Error).message)
      .trim()
      .split("\n")
      .at(-1)}`;
    process.stderr.write(`skipped: tests on a small file system: ${reason}; run them as root on Linux\n`);
    return reason;
  }
  const empty = () => {
    for (const name of fs.readdirSync(folder)) fs.rmSync(path.join(folder, name), { recursive: true });
  };
  return {
    folder,
    empty,
    remove() {
      execFileSync("umount", ["--lazy", folder]);
      fs.rmdirSync(folder);
    },
  };
}
