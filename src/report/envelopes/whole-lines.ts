import { LONGEST_LINE } from "../log/log-reader.js";

const NEWLINE = 0x0a;

/** Cuts the bytes of a log behind line ends. Only the last piece, and lines that are too long, may lack theirs. */
export async function* wholeLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    let from = 0;
    if (end > 0 && length > 0) {
      // Only one line is copied, not the chunk.
      from = chunk.indexOf(NEWLINE) + 1;
      yield Buffer.concat([...pieces, chunk.subarray(0, from)]);
      pieces = [];
      length = 0;
    }
    if (end > from) yield chunk.subarray(from, end);
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
