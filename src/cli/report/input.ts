import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { visible } from "../../report/visible.js";
import { FileError, reasonOf } from "../files.js";
import { CHUNK_BYTES, chunksOf } from "./log-bytes.js";

/** An opened log. */
export interface Input {
  readonly name: string;
  /** Bytes before unpacking; `undefined` for standard input and pipes. */
  readonly size: number | undefined;
  /** Returns the log's bytes, unpacked if it is compressed. */
  chunks(onStored: (bytes: number) => void): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/**
 * Opens all logs before any is read, so that a missing file is reported at once.
 *
 * @throws {FileError}
 */
export async function openInputs(files: readonly string[], stdin: Readable): Promise<Input[]> {
  const inputs: Input[] = [];
  try {
    for (const file of files) inputs.push(file === "-" ? standardInput(stdin) : await openFile(file));
    return inputs;
  } catch (error) {
    for (const input of inputs) await input.close();
    throw error;
  }
}

function standardInput(stdin: Readable): Input {
  const name = "standard input";
  return {
    name,
    size: undefined,
    chunks: (onStored) => chunksOf(name, stdin, onStored),
    close: async () => {},
  };
}

async function openFile(file: string): Promise<Input> {
  const name = visible(file);
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, constants.O_RDONLY);
    const stat = await handle.stat();
    if (stat.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    const opened = handle;
    return {
      name,
      size: stat.isFile() ? stat.size : undefined,
      chunks: (onStored) =>
        chunksOf(name, opened.createReadStream({ highWaterMark: CHUNK_BYTES, autoClose: false }), onStored),
      close: () => opened.close(),
    };
  } catch (error) {
    await handle?.close();
    throw new FileError(`${name}: ${reasonOf(error)}`);
  }
}
