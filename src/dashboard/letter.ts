/** A record of another process, whose fields nobody has checked. */
export type LooseRecord = Record<string, unknown>;

/** Changes when the texts do, so that processes with another version of this package are not misunderstood. */
const VERSION = 1;
/** The longest text that is read, in characters. The longest that is written is shorter. */
const MAX_LENGTH = 2 ** 21;
const MAX_RECORDS = 1_000;

/** Returns the text that carries records of the process `from`. */
export function letterOf(from: string, records: readonly LooseRecord[]): string {
  return JSON.stringify({ version: VERSION, from, records });
}

/**
 * Returns the records in a text of another process.
 *
 * @returns none for a text of the process `self`, and for one of another version.
 * @throws {Error} if the text is something else. It may come from anybody who can write to the store.
 */
export function recordsIn(text: unknown, self: string): readonly LooseRecord[] {
  if (typeof text !== "string" || text.length > MAX_LENGTH)
    throw new Error("a text of decisions is too long, or no text");
  const { version, from, records } = Object(JSON.parse(text)) as Partial<Record<string, unknown>>;
  if (version !== VERSION || from === self) return [];
  if (!Array.isArray(records) || records.length > MAX_RECORDS)
    throw new Error("a text of decisions has no list of them");
  return records.filter((record) => typeof record === "object" && record !== null);
}
