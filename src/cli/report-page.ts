import { chmod, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { visible } from "../report/visible.js";
import { FileError, reasonOf } from "./report-input.js";

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
