// The two methods between a `Readable` and its source. Every reader and every byte passes them, and no public API does.
import type { IncomingMessage } from "node:http";

/** A request's source: `read` asks it for bytes, `push` delivers them, with `null` at the end. */
export interface Source {
  read(size: number): void;
  push(chunk: unknown, encoding?: BufferEncoding): boolean;
}

/**
 * Puts a source in front of a request's own.
 *
 * Without `_read` and `push` content could not be held back from a reader that other code controls. Wire tests "_read is
 * called when somebody reads, and not before" and "push gets every piece of content, and null at the end".
 *
 * @returns the request's own source.
 */
export function interpose(req: IncomingMessage, source: Source): Source {
  const { _read, push } = req;
  req._read = (size) => source.read(size);
  req.push = (chunk: unknown, encoding?: BufferEncoding) => source.push(chunk, encoding);
  return {
    read: (size) => _read.call(req, size),
    push: (chunk, encoding) => push.call(req, chunk, encoding),
  };
}

/** Asks a request's source for bytes, as a reader would. */
export function askForBytes(req: IncomingMessage): void {
  req._read(0);
}

/** Makes later reads of a request ask for nothing. */
export function ignoreReads(req: IncomingMessage): void {
  req._read = () => {};
}
