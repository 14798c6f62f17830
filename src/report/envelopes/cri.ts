import type { Wrapped } from "./wrapped.js";

const LINE =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) (stdout|stderr) ([FP])(?::\S*)? (.*)$/s;

/**
 * Reads a line of a container's log in Kubernetes, as containerd and CRI-O write it: `TIME stderr F TEXT`. The tag `P`
 * marks a part that is not the last one.
 *
 * @returns `undefined` if it is another line.
 */
export function criLine(line: string): Wrapped | undefined {
  const [, time, stream, tag, text] = LINE.exec(line) ?? [];
  return text === undefined ? undefined : { text, time, partOf: stream, goesOn: tag === "P" };
}
