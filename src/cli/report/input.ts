import { constants } from "node:fs";
import { access, type FileHandle, open, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { visible } from "../../report/visible.js";
import { FileError, reasonOf } from "../files.js";
import { UsageError } from "../usage.js";
import { CHUNK_BYTES, chunksOf } from "./log-bytes.js";

/** A log that can be read. */
export interface Input {
  readonly name: string;
  /** Bytes before unpacking; `undefined` for standard input and pipes. */
  readonly size: number | undefined;
  /**
   * Returns the log's bytes, unpacked if it is compressed. The file is open while they are read.
   *
   * @throws {FileError}
   */
  chunks(onStored: (bytes: number) => void): AsyncIterable<Buffer>;
}

/**
 * Finds all logs before any is read, so that a missing file is reported at once. None is opened yet: there may be more
 * of them than a process may open.
 *
 * @throws {FileError}
 */
export async function inputsOf(files: readonly string[], stdin: Readable): Promise<Input[]> {
  const inputs: Input[] = [];
  for (const file of files) inputs.push(file === "-" ? standardInput(stdin) : await fileInput(file));
  return inputs;
}

function standardInput(stdin: Readable): Input {
  const name = "standard input";
  return { name, size: undefined, chunks: (onStored) => chunksOf(name, stdin, onStored) };
}

async function fileInput(file: string): Promise<Input> {
  const name = visible(file);
  try {
    const found = await stat(file);
    if (found.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    await access(file, constants.R_OK);
    return { name, size: found.isFile() ? found.size : undefined, chunks: (onStored) => fileChunks(file, onStored) };
  } catch (error) {
    throw new FileError(`${name}: ${reasonOf(error)}`);
  }
}

async function* fileChunks(file: string, onStored: (bytes: number) => void): AsyncGenerator<Buffer> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, constants.O_RDONLY);
    const stream = handle.createReadStream({ highWaterMark: CHUNK_BYTES, autoClose: false });
    yield* chunksOf(visible(file), stream, onStored);
  } catch (error) {
    throw error instanceof FileError ? error : new FileError(`${visible(file)}: ${reasonOf(error)}`);
  } finally {
    await handle?.close();
  }
}

/**
 * Checks that a page does not replace a log.
 *
 * @throws {UsageError}
 */
export async function checkIsNoInput(page: string, files: readonly string[]): Promise<void> {
  const target = await stat(page).catch(() => undefined);
  // Several logs may go to one device.
  if (!target?.isFile()) return;
  for (const file of files) {
    const source = file === "-" ? undefined : await stat(file).catch(() => undefined);
    if (source && source.ino === target.ino && source.dev === target.dev) {
      throw new UsageError(
        `--html: received ${visible(JSON.stringify(page))}, which is a log to read; expected another`,
      );
    }
  }
}
