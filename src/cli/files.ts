import { chmod, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { visible } from "../report/visible.js";

/** Something that cannot be read or written, in one line that names it. */
export class FileError extends Error {
  override readonly name = "FileError";
}

/**
 * Writes a file as a whole or not at all: whoever reads it meanwhile sees the old one.
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
  // A pipe or a device is written to, not replaced; a folder fails here.
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
};

/** Why something cannot be read or written. */
export function reasonOf(error: unknown): string {
  const { code = "", message = "" } = error as { code?: string; message?: string };
  return REASONS[code] ?? visible(message || code);
}
