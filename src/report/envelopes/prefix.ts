import type { Wrapped } from "./wrapped.js";

const LONGEST_PREFIX = 256;

const ISO = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)`;
const STAMPS = [
  ISO,
  // The other forms of journalctl: short, short-full, short-unix, short-monotonic.
  String.raw`[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{6})?`,
  String.raw`[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{6})? [A-Z\d:+-]{1,8}`,
  String.raw`\d{10}\.\d{6}`,
  String.raw`\[ *\d{1,12}\.\d{6}\]`,
];

// Nothing else: a line may end with the text of somebody who writes to the log, and that is not a record.
const PREFIXES = [
  // A syslog header (RFC 3164) as journalctl prints it: time, host, program.
  new RegExp(String.raw`^(?:<\d{1,3}>)?(?:${STAMPS.join("|")}) \S+ [^\s:]+: $`),
  // kubectl logs --prefix, docker compose logs, and timestamps of either.
  new RegExp(String.raw`^(?:\[[\w./-]+\] |[\w.-]+ +\| )?(?:${ISO} )?$`),
];
const TIME = new RegExp(`${ISO}|^${STAMPS[3]}`);

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
  if (!PREFIXES.some((pattern) => pattern.test(prefix))) return undefined;
  const time = TIME.exec(prefix)?.[0];
  return { text: line.slice(at), time: time === undefined || time.includes("-") ? time : Number(time) };
}
