import type { Wrapped } from "./wrapped.js";

const LONGEST_PREFIX = 256;
// It does not match binary data.
const PREFIX = /^[^"\p{Cc}]+$/u;
const TIME = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?|^\d{10}\.\d{1,9}(?= )/;

/**
 * Reads JSON behind a prefix: the short forms of `journalctl`, `docker compose logs`, `kubectl logs --prefix`, and
 * timestamps.
 *
 * @returns `undefined` if it is another line.
 * @example prefixedLine('Nov 22 08:00:00 host node[17]: {"event":"…"}') // { text: '{"event":"…"}' }
 */
export function prefixedLine(line: string): Wrapped | undefined {
  const at = line.indexOf('{"');
  if (at < 1 || at > LONGEST_PREFIX) return undefined;
  const prefix = line.slice(0, at);
  const text = line.slice(at).trimEnd();
  if (!PREFIX.test(prefix) || !text.endsWith("}")) return undefined;
  const time = TIME.exec(prefix)?.[0];
  return { text, time: time === undefined || time.includes("-") ? time : Number(time) };
}
