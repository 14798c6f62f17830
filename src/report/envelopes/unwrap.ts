import { criLine } from "./cri.js";
import { dockerLine } from "./docker.js";
import { journaldLine } from "./journald.js";
import { Parts } from "./parts.js";
import { prefixedLine } from "./prefix.js";
import { wholeLines } from "./whole-lines.js";
import type { Wrapped } from "./wrapped.js";

const NEWLINE = 0x0a;
/** How many lines of a log's beginning are looked at. */
const FIRST_LINES = 100;

/** Every record of this package contains it, also where its quotes are escaped. */
const OWN = "expectation.";
const BYTE_ORDER_MARK = "\ufeff";
const HAS_TIME = /"(?:time|timestamp|@timestamp)"/;

/**
 * Takes the lines of programs out of the lines of Docker (`json-file`), journald and Kubernetes (CRI).
 *
 * Each line stays one line, so that line numbers stay the same. Logs without such lines pass as they are.
 *
 * @param chunks - the bytes of one log.
 */
export async function* unwrapped(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const parts = new Parts();
  let isWrapped = false;
  let linesToCheck = FIRST_LINES;
  for await (const block of wholeLines(chunks)) {
    isWrapped ||= hasWrapped(block, linesToCheck);
    linesToCheck = 1;
    yield isWrapped ? unwrappedBlock(block, parts) : block;
  }
  for (const text of parts.rest()) yield Buffer.from(`${text}\n`);
}

// Beginning and end of each block: several logs may come one behind the other.
function hasWrapped(block: Buffer, linesToCheck: number): boolean {
  let from = 0;
  for (let i = 0; i < linesToCheck && from < block.length; i++) {
    const end = block.indexOf(NEWLINE, from);
    if (end < 0) return false;
    if (isWrappedLine(block, from, end)) return true;
    from = end + 1;
  }
  const end = block.lastIndexOf(NEWLINE);
  return isWrappedLine(block, block.lastIndexOf(NEWLINE, end - 1) + 1, end);
}

function isWrappedLine(block: Buffer, from: number, end: number): boolean {
  return end > from && wrappedIn(block.toString("utf8", from, end)) !== undefined;
}

function wrappedIn(text: string): Wrapped | undefined {
  const line = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  return line.startsWith("{")
    ? (dockerLine(line) ?? journaldLine(line))
    : (criLine(line) ?? journaldLine(line) ?? prefixedLine(line));
}

function unwrappedBlock(block: Buffer, parts: Parts): Buffer {
  const lines = block.toString("utf8").split("\n");
  return Buffer.from(lines.map((line) => textOf(line.endsWith("\r") ? line.slice(0, -1) : line, parts)).join("\n"));
}

function textOf(line: string, parts: Parts): string {
  const wrapped = wrappedIn(line);
  if (!wrapped) return line;
  const text = parts.join(wrapped);
  // An empty line is not counted.
  if (text === undefined) return "";
  const oneLine = text.includes("\n") ? text.replaceAll(/\r?\n/g, " ") : text;
  return oneLine.includes(OWN) ? withTime(oneLine, wrapped.time) : oneLine;
}

// A record's own time is more exact. Of the three names, this one counts last.
function withTime(text: string, time: Wrapped["time"]): string {
  if (time === undefined || !text.startsWith("{") || HAS_TIME.test(text)) return text;
  return `{"@timestamp":${JSON.stringify(time)},${text.slice(1)}`;
}
