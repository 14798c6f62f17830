import { objectIn } from "./docker.js";
import type { Wrapped } from "./wrapped.js";

// Names of the journal's fields are capital letters and underscores. `json-sse` and `json-seq` put a mark before.
const BEGINNING = /^(?:data: |\p{Cc})?\{\s*"[_A-Z]/u;

/** The fields of an entry: systemd.journal-fields(7). */
const FIELDS = {
  text: "MESSAGE",
  time: "__REALTIME_TIMESTAMP",
  stream: "_STREAM_ID",
  process: "_PID",
  lineBreak: "_LINE_BREAK",
} as const;

/**
 * Reads a line of `journalctl -o json`. journald breaks text after `LineMax=`, 48 KiB by default.
 *
 * @returns `undefined` if it is another line, or if the message is left out, as `journalctl` does with long ones
 *   without `--all`.
 * @see https://systemd.io/JOURNAL_EXPORT_FORMATS/#journal-json-format
 */
export function journaldLine(line: string): Wrapped | undefined {
  if (!BEGINNING.test(line) || !line.includes('"MESSAGE"')) return undefined;
  const entry = objectIn(line.slice(line.indexOf("{")));
  const text = textOf(entry[FIELDS.text]);
  if (text === undefined) return undefined;
  const time = Number(entry[FIELDS.time]);
  return {
    text,
    time: Number.isNaN(time) ? undefined : time,
    partOf: String(entry[FIELDS.stream] ?? entry[FIELDS.process]),
    goesOn: entry[FIELDS.lineBreak] === "line-max",
  };
}

// Text with control characters is a list of its bytes.
function textOf(message: unknown): string | undefined {
  if (typeof message === "string") return message;
  const isBytes = Array.isArray(message) && message.every((byte) => Number.isInteger(byte));
  return isBytes ? Buffer.from(message).toString("utf8") : undefined;
}
