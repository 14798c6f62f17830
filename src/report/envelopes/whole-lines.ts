import { LONGEST_LINE } from "../log/log-reader.js";

const NEWLINE = 0x0a;

/** Cuts the bytes of a log behind line ends. Only the last piece, and lines that are too long, may lack theirs. */
export async function* wholeLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      const head = chunk.subarray(0, end);
      yield length === 0 ? head : Buffer.concat([...pieces, head]);
      pieces = [];
      length = 0;
    }
    if (end < chunk.length) {
      // A copy: the chunk may be overwritten.
      pieces.push(Buffer.from(chunk.subarray(end)));
      length += chunk.length - end;
    }
    if (length > LONGEST_LINE) {
      yield Buffer.concat(pieces);
      pieces = [];
      length = 0;
    }
  }
  if (length > 0) yield Buffer.concat(pieces);
}
