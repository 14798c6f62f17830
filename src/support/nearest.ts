/**
 * Returns the candidate that is most like `name`, or `undefined` if none is like it. Letter case does not matter.
 *
 * @example nearestTo("logger_", ["logger", "policies"]) // "logger"
 */
export function nearestTo(name: string, candidates: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = Math.ceil(name.length / 2) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

// Levenshtein distance: the least number of letters to insert, delete or replace.
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
