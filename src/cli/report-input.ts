import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { visible } from "../report/visible.js";
import { FileError, reasonOf } from "./files.js";

const CHUNK_BYTES = 2 ** 18;

/** A log that is there to be read. */
export interface Input {
  readonly name: string;
  /** Bytes as they are stored; unknown for standard input and pipes. */
  readonly size: number | undefined;
  /** The log's bytes, unpacked where it is compressed. */
  chunks(onStored: (bytes: number) => void): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/**
 * Opens everything that is to be read, so that what is missing shows before the work.
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

async function* chunksOf(name: string, stored: Readable, onStored: (bytes: number) => void): AsyncIterable<Buffer> {
  try {
    const { first, rest } = await beginningOf(stored, onStored);
    yield* isGzip(first) ? unpacked(first, rest) : joined(first, rest);
  } catch (error) {
    throw new FileError(`${name}: ${reasonOf(error)}`);
  }
}

// The first two bytes tell what it is; a pipe may bring them one by one.
async function beginningOf(stored: Readable, onStored: (bytes: number) => void) {
  const rest = counted(stored, onStored)[Symbol.asyncIterator]();
  let first = Buffer.alloc(0);
  while (first.length < 2) {
    const next = await rest.next();
    if (next.done) break;
    first = Buffer.concat([first, next.value]);
  }
  return { first, rest: { [Symbol.asyncIterator]: () => rest } };
}

async function* counted(stored: AsyncIterable<Buffer | string>, onStored: (bytes: number) => void) {
  for await (const chunk of stored) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    onStored(bytes.length);
    yield bytes;
  }
}

// RFC 1952 §2.3.1
function isGzip(first: Buffer): boolean {
  return first[0] === 0x1f && first[1] === 0x8b;
}

async function* joined(first: Buffer, rest: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  yield first;
  yield* rest;
}

async function* unpacked(first: Buffer, rest: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  const stored = Readable.from(joined(first, rest), { objectMode: true });
  stored.on("error", (error) => gunzip.destroy(error));
  stored.pipe(gunzip);
  yield* gunzip;
}
