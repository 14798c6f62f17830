import { ExpectationError, optionError } from "./errors.js";

/** Checks that options are a plain bag of known keys; an unknown one names its nearest neighbour. */
export function requireKnownKeys(factory: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw optionError(`${factory}(options)`, options, "an object");
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const nearest = nearestOf(key, known);
    const hint = nearest === undefined ? `expected one of ${known.join(", ")}` : `did you mean ${nearest}?`;
    throw new ExpectationError(
      "ERR_EXPECT_OPTION",
      `${factory}(options): unknown option ${JSON.stringify(key)}; ${hint}`,
    );
  }
}

export function optionalBoolean(option: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value === "boolean") return value;
  throw optionError(option, value, "true or false");
}

export function optionalOneOf<T extends string>(
  option: string,
  value: unknown,
  choices: readonly T[],
  fallback: T,
  orElse = "",
): T {
  if (value === undefined) return fallback;
  if (choices.includes(value as T)) return value as T;
  throw optionError(option, value, choices.map((choice) => JSON.stringify(choice)).join(" or ") + orElse);
}

/** Longest time that Node's timers keep: a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** A whole number from 1 to `most`; a time in milliseconds unless `most` says otherwise. */
export function optionalCount(option: string, value: unknown, fallback: number, most: number = LONGEST_MS): number {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most) return value as number;
  throw optionError(option, value, `a whole number from 1 to ${most}`);
}

/** A whole number from 1, without a bound above. */
export function requireCount(option: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
  throw optionError(option, value, "a whole number from 1");
}

export function optionalFunction<F>(option: string, value: F | undefined): F | undefined {
  if (value === undefined || typeof value === "function") return value;
  throw optionError(option, value, "a function");
}

function nearestOf(key: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = Math.ceil(key.length / 2) + 1;
  for (const candidate of known) {
    const distance = editDistance(key.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
