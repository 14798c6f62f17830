import { constants } from "node:fs";
import { access, open, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { visible } from "../../report/visible.js";
import { FileError, reasonOf } from "../files.js";
import { UsageError } from "../usage.js";
import { followed, until } from "./follow.js";
import { CHUNK_BYTES, chunksOf } from "./log-bytes.js";

/** A log that can be read. */
export interface Input {
  readonly name: string;
  /** Bytes before unpacking; `undefined` for standard input and pipes. */
  readonly size: number | undefined;
  /**
   * Returns the log's bytes, unpacked if it is compressed. The file is open while they are read.
   *
   * @param onStored - receives the number of bytes read, before unpacking.
   * @param stop - if given, a file is read on as it grows until this signal, and a pipe until its end or this signal.
   * @throws {FileError}
   */
  chunks(onStored: (bytes: number) => void, stop?: AbortSignal): AsyncIterable<Buffer>;
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
  return {
    name,
    size: undefined,
    chunks: (onStored, stop) => chunksOf(name, stop ? until<Buffer>(stdin, stop) : stdin, onStored),
  };
}

async function fileInput(file: string): Promise<Input> {
  const name = visible(file);
  try {
    const found = await stat(file);
    if (found.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    await access(file, constants.R_OK);
    return found.isFile()
      ? { name, size: found.size, chunks: (onStored, stop) => fileChunks(file, onStored, stop) }
      : { name, size: undefined, chunks: (onStored, stop) => pipeChunks(file, onStored, stop) };
  } catch (error) {
    throw new FileError(`${name}: ${reasonOf(error)}`);
  }
}

function fileChunks(file: string, onStored: (bytes: number) => void, stop?: AbortSignal): AsyncIterable<Buffer> {
  return chunksOf(visible(file), stop ? followed(file, stop) : opened(file), onStored);
}

function pipeChunks(file: string, onStored: (bytes: number) => void, stop?: AbortSignal): AsyncIterable<Buffer> {
  return chunksOf(visible(file), stop ? until(opened(file), stop) : opened(file), onStored);
}

async function* opened(file: string): AsyncGenerator<Buffer> {
  const handle = await open(file);
  try {
    yield* handle.createReadStream({ highWaterMark: CHUNK_BYTES, autoClose: false });
  } finally {
    await handle.close();
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
