import { type FileHandle, open, stat } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { CHUNK_BYTES } from "./log-bytes.js";

const EVERY_MS = 250;
const NEWLINE = 0x0a;

/**
 * Reads a file, and what is added to it, until a signal. A file that is truncated or replaced, as log rotation does, is
 * read from its beginning.
 */
export async function* followed(file: string, stop: AbortSignal): AsyncGenerator<Buffer> {
  let handle = await open(file);
  let position = 0;
  let endsLine = true;
  let wasReplaced = false;
  try {
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, position);
      if (bytesRead > 0) {
        position += bytesRead;
        endsLine = buffer[bytesRead - 1] === NEWLINE;
        yield buffer.subarray(0, bytesRead);
        continue;
      }
      if (stop.aborted) return;
      // One more look at a replaced file: its writer may not know yet.
      const next = wasReplaced ? await open(file).catch(() => undefined) : undefined;
      const isTruncated = (await handle.stat()).size < position;
      if (next || isTruncated) {
        // The rest of a line is in no other file.
        if (!endsLine) yield Buffer.from("\n");
        endsLine = true;
        position = 0;
        wasReplaced = false;
      }
      if (next) {
        await handle.close();
        handle = next;
      } else if (!isTruncated) {
        await setTimeout(EVERY_MS, undefined, { signal: stop }).catch(() => {});
        wasReplaced = await isReplaced(file, handle);
      }
    }
  } finally {
    await handle.close();
  }
}

async function isReplaced(file: string, handle: FileHandle): Promise<boolean> {
  const [held, named] = await Promise.all([handle.stat(), stat(file).catch(() => undefined)]);
  return named !== undefined && (named.ino !== held.ino || named.dev !== held.dev);
}

/** Passes chunks on until a signal, also while none comes. */
export async function* until<T>(chunks: AsyncIterable<T>, stop: AbortSignal): AsyncGenerator<T> {
  const iterator = chunks[Symbol.asyncIterator]();
  const stopped = new Promise<undefined>((resolve) => {
    if (stop.aborted) resolve(undefined);
    else stop.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  for (;;) {
    const next = await Promise.race([iterator.next(), stopped]);
    if (next === undefined || next.done) return;
    yield next.value;
  }
}
