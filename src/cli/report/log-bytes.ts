import { FileError, reasonOf } from "../files.js";
import { gunzipped, isGzip } from "./gzip.js";

/** The size of the chunks that are read. */
export const CHUNK_BYTES: number = 2 ** 18;

/**
 * Reads the bytes of a log, unpacked if it is compressed with gzip.
 *
 * @param onStored - receives the number of bytes read, before unpacking.
 * @throws {FileError}
 */
export async function* chunksOf(
  name: string,
  stored: AsyncIterable<Buffer | string>,
  onStored: (bytes: number) => void,
): AsyncIterable<Buffer> {
  try {
    const { first, rest } = await beginningOf(stored, onStored);
    yield* isGzip(first) ? gunzipped(joined(first, rest)) : joined(first, rest);
  } catch (error) {
    throw new FileError(`${name}: ${reasonOf(error)}`);
  }
}

// A pipe may deliver the two bytes that identify gzip one by one.
async function beginningOf(stored: AsyncIterable<Buffer | string>, onStored: (bytes: number) => void) {
  const rest = counted(stored, onStored);
  let first = Buffer.alloc(0);
  while (first.length < 2) {
    const next = await rest.next();
    if (next.done) break;
    first = Buffer.concat([first, next.value]);
  }
  return { first, rest };
}

async function* counted(stored: AsyncIterable<Buffer | string>, onStored: (bytes: number) => void) {
  for await (const chunk of stored) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    onStored(bytes.length);
    yield bytes;
  }
}

async function* joined(first: Buffer, rest: AsyncIterableIterator<Buffer>): AsyncIterable<Buffer> {
  try {
    yield first;
    yield* rest;
  } finally {
    // A reader may stop at the first bytes. The file would stay open.
    await rest.return?.();
  }
}
