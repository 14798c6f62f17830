import type { Wrapped } from "./wrapped.js";

const BEGINNING = '{"log":"';

/**
 * Reads a line of Docker's driver `json-file`. Docker breaks text after 16 KiB: only its last part ends with a line end.
 *
 * @returns `undefined` if it is another line.
 * @see https://docs.docker.com/engine/logging/drivers/json-file/
 */
export function dockerLine(line: string): Wrapped | undefined {
  if (!line.startsWith(BEGINNING)) return undefined;
  const { log, stream, time } = objectIn(line);
  // The stream tells it from a record of somebody who has a field of that name.
  if (typeof log !== "string" || typeof stream !== "string") return undefined;
  const isWhole = log.endsWith("\n");
  return {
    text: isWhole ? log.slice(0, -1) : log,
    time: typeof time === "string" ? time : undefined,
    partOf: stream,
    goesOn: !isWhole,
  };
}

/** Returns the object that a line consists of; an empty one if it is something else. */
export function objectIn(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
