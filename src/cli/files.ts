import { chmod, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { visible } from "../report/visible.js";

/** A file cannot be read or written. The message names it, in one line. */
export class FileError extends Error {
  override readonly name = "FileError";
}

/**
 * Replaces a file in one step. Until then, readers see the old file.
 *
 * @throws {FileError}
 */
export async function writeWhole(file: string, text: string): Promise<void> {
  try {
    await write(file, text);
  } catch (error) {
    throw new FileError(`${visible(file)}: ${reasonOf(error)}`);
  }
}

async function write(file: string, text: string): Promise<void> {
  const before = await stat(file).catch(() => undefined);
  // Pipes and devices are written to, not replaced. Folders fail here.
  if (before && !before.isFile()) return writeFile(file, text);
  const target = before ? await realpath(file) : file;
  const part = `${target}.${process.pid}.part`;
  try {
    await writeFile(part, text, { flag: "wx" });
    if (before) await chmod(part, before.mode);
    await rename(part, target);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  EISDIR: "is a folder",
  EACCES: "no permission",
  EPERM: "no permission",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left",
  Z_BUF_ERROR: "its gzip data end too early",
  Z_DATA_ERROR: "its gzip data are damaged",
  ERR_TRAILING_DATA: "something else follows its gzip data, and was left out",
};

/** Returns why a file cannot be read or written. */
export function reasonOf(error: unknown): string {
  const { code = "", message = "" } = error as { code?: string; message?: string };
  return REASONS[code] ?? visible(message || code);
}
