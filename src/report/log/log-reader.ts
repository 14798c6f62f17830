import type { Decision } from "../decision.js";
import { EVENT, isSpace, type Line, lineFrom, otherLine } from "./line.js";

/** Longer lines are malformed: nothing of them is kept. */
export const LONGEST_LINE: number = 2 ** 20;

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** What one log consisted of. */
interface LogCounts {
  bytes: number;
  /** Lines that are not empty. */
  lines: number;
  malformed: number;
  foreign: number;
  /** The number of the first line that is malformed, counted from 1. */
  firstMalformed?: number;
}

/**
 * Reads one log of JSON lines from chunks of any size, in memory bounded by {@link LONGEST_LINE}.
 *
 * @param onDecision - gets every record of this package and its line, in order.
 */
export class LogReader {
  readonly counts: LogCounts = { bytes: 0, lines: 0, malformed: 0, foreign: 0 };
  readonly #onDecision: (decision: Decision, line: string) => void;
  /** The beginning of a line whose end is in a later chunk. */
  #pieces: Buffer[] = [];
  #piecesLength = 0;
  #isTooLong = false;
  #lineNumber = 0;
  /** The next place of an event's name in the chunk. */
  #eventAt = 0;

  constructor(onDecision: (decision: Decision, line: string) => void) {
    this.#onDecision = onDecision;
  }

  /** Takes the next part of the log. The chunk may be overwritten afterwards. */
  write(chunk: Buffer): void {
    this.counts.bytes += chunk.length;
    this.#eventAt = -1;
    let from = 0;
    for (let newline = chunk.indexOf(NEWLINE); newline >= 0; newline = chunk.indexOf(NEWLINE, from)) {
      if (this.#piecesLength > 0 || this.#isTooLong) this.#endPieces(chunk.subarray(from, newline));
      else this.#line(chunk, from, newline, this.#hasEvent(chunk, from, newline));
      from = newline + 1;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  /** Takes the last line, which may lack its end. */
  end(): void {
    if (this.#piecesLength > 0 || this.#isTooLong) this.#endPieces(Buffer.alloc(0));
  }

  #keep(piece: Buffer): void {
    this.#piecesLength += piece.length;
    this.#isTooLong ||= this.#piecesLength > LONGEST_LINE;
    if (this.#isTooLong) this.#pieces = [];
    else this.#pieces.push(Buffer.from(piece));
  }

  #endPieces(rest: Buffer): void {
    const line = this.#isTooLong ? undefined : Buffer.concat([...this.#pieces, rest]);
    this.#pieces = [];
    this.#piecesLength = 0;
    this.#isTooLong = false;
    if (!line) this.#count("malformed", ++this.#lineNumber);
    else this.#line(line, 0, line.length, line.includes(EVENT));
  }

  // One search finds the next record, however many other lines are before it.
  #hasEvent(chunk: Buffer, from: number, end: number): boolean {
    if (this.#eventAt < from) {
      const at = chunk.indexOf(EVENT, from);
      this.#eventAt = at < 0 ? Number.POSITIVE_INFINITY : at;
    }
    return this.#eventAt < end;
  }

  #line(bytes: Buffer, from: number, end: number, hasEvent: boolean): void {
    const number = ++this.#lineNumber;
    const start = number === 1 && bytes.indexOf(BYTE_ORDER_MARK, from) === from ? from + 3 : from;
    if (isBlank(bytes, start, end)) return;
    if (end - start > LONGEST_LINE) this.#count("malformed", number);
    else if (!hasEvent) this.#count(otherLine(bytes, start, end), number);
    else {
      const text = bytes.toString("utf8", start, end);
      this.#count(lineFrom(text), number, text);
    }
  }

  #count(line: Line, number: number, text = ""): void {
    const { counts } = this;
    counts.lines++;
    if (line === "foreign") counts.foreign++;
    else if (line === "malformed") {
      counts.malformed++;
      counts.firstMalformed ??= number;
    } else this.#onDecision(line, text);
  }
}

function isBlank(bytes: Buffer, from: number, end: number): boolean {
  let at = from;
  while (at < end && isSpace(bytes[at] as number)) at++;
  return at === end;
}
