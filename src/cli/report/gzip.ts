import { crc32, createInflateRaw, type InflateRaw } from "node:zlib";
import { ByteSource } from "./byte-source.js";

const CHUNK_BYTES = 2 ** 18;

// RFC 1952 §2.3.1
const MAGIC = [0x1f, 0x8b];
const DEFLATE = 8;
const FIXED_HEADER = 10;
const TRAILER = 8;
const HAS_CHECKSUM = 2;
const HAS_EXTRA = 4;
const HAS_NAME = 8;
const HAS_COMMENT = 16;

/** Returns whether bytes begin as a gzip file does. */
export function isGzip(first: Buffer): boolean {
  return first[0] === MAGIC[0] && first[1] === MAGIC[1];
}

/**
 * Unpacks gzip data, one member behind the other.
 *
 * `createGunzip()` does the same, but if something else follows the data, it drops what it has just unpacked. For a
 * small file that is everything.
 *
 * @throws {Error} with the code `Z_DATA_ERROR`, `Z_BUF_ERROR` or `ERR_TRAILING_DATA`.
 */
export async function* gunzipped(stored: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const source = new ByteSource(stored);
  try {
    do {
      if (!isGzip(await source.peek(MAGIC.length))) throw fault(TRAILING_DATA);
      await skipHeader(source);
      yield* member(source);
    } while (await hasMore(source));
  } finally {
    source.close();
  }
}

/** The code of the error for something that follows the gzip data. */
const TRAILING_DATA = "ERR_TRAILING_DATA";

function fault(code: string): Error {
  return Object.assign(new Error(code), { code });
}

async function taken(source: ByteSource, length: number): Promise<Buffer> {
  const bytes = await source.take(length);
  if (bytes.length < length) throw fault("Z_BUF_ERROR");
  return bytes;
}

// RFC 1952 §2.3
async function skipHeader(source: ByteSource): Promise<void> {
  const header = await taken(source, FIXED_HEADER);
  const flags = header[3] as number;
  if (header[2] !== DEFLATE) throw fault("Z_DATA_ERROR");
  if (flags & HAS_EXTRA) await taken(source, (await taken(source, 2)).readUInt16LE());
  for (const flag of [HAS_NAME, HAS_COMMENT]) {
    while ((flags & flag) !== 0 && (await taken(source, 1))[0] !== 0);
  }
  if (flags & HAS_CHECKSUM) await taken(source, 2);
}

async function* member(source: ByteSource): AsyncGenerator<Buffer> {
  const inflate = createInflateRaw({ chunkSize: CHUNK_BYTES });
  const fed = feed(inflate, source);
  let checksum = 0;
  let length = 0;
  for await (const bytes of inflate as AsyncIterable<Buffer>) {
    checksum = crc32(bytes, checksum);
    length += bytes.length;
    yield bytes;
  }
  await fed;
  const trailer = await taken(source, TRAILER);
  if (trailer.readUInt32LE() !== checksum || trailer.readUInt32LE(4) !== length % 2 ** 32) throw fault("Z_DATA_ERROR");
}

// Gives back what follows the member.
async function feed(inflate: InflateRaw, source: ByteSource): Promise<void> {
  let isOver = false;
  const end = new Promise<void>((resolve) => inflate.once("end", resolve)).then(() => {
    isOver = true;
  });
  let fed = 0;
  try {
    while (!isOver && !inflate.destroyed) {
      const bytes = await source.next();
      if (!bytes) return void inflate.end();
      await Promise.race([new Promise((resolve) => inflate.write(bytes, resolve)), end]);
      fed += bytes.length;
      const unused = fed - inflate.bytesWritten;
      if (unused > 0) return source.giveBack(bytes.subarray(bytes.length - unused));
    }
  } catch (error) {
    inflate.destroy(error as Error);
  }
}

// Tapes and disks fill up with zeros.
async function hasMore(source: ByteSource): Promise<boolean> {
  for (let bytes = await source.next(); bytes; bytes = await source.next()) {
    const at = bytes.findIndex((byte) => byte !== 0);
    if (at >= 0) {
      source.giveBack(bytes.subarray(at));
      return true;
    }
  }
  return false;
}
