import type { Path } from "./express-routes.js";

/** A path that a pattern matches. If it is not whole, unknown text follows. */
export interface Sample {
  readonly text: string;
  readonly isWhole: boolean;
}

/** What a parameter stands for. No pattern of a guard matches it by chance, unless it matches every text. */
const SEGMENT = "any-text";

/**
 * Returns paths that a route's pattern matches. A guard that covers all of them covers the route.
 *
 * Understands parameters, wildcards and optional parts of Express 4 (`/:name?`, `*`) and Express 5 (`{/:name}`,
 * `*name`). Of a pattern with a part in parentheses only the segments before that part are known, of a RegExp nothing.
 */
export function samplesOf(path: Path): readonly Sample[] {
  if (typeof path !== "string") return [{ text: "", isWhole: false }];
  const [known] = /^[^()+[\]\\]*/.exec(path) as RegExpExecArray;
  const isWhole = known.length === path.length;
  const text = isWhole ? path : known.replace(/\/[^/]*$/, "");
  const texts = withAndWithout(text).flatMap(withoutWildcards).map(withoutParameters);
  return texts.map((each) => ({ text: each, isWhole }));
}

function withAndWithout(path: string): readonly string[] {
  const [optional, inner] = /\{([^{}]*)\}/.exec(path) ?? /(\/?:\w+)\?/.exec(path) ?? [];
  if (optional === undefined || inner === undefined) return [path];
  return [path.replace(optional, () => inner), path.replace(optional, "")].flatMap(withAndWithout);
}

// In Express 4 a wildcard may stand for nothing, in Express 5 it has a name and does not.
function withoutWildcards(path: string): readonly string[] {
  const [wildcard, name] = /\*(\w*)/.exec(path) ?? [];
  if (wildcard === undefined) return [path];
  const texts = [SEGMENT, `${SEGMENT}/${SEGMENT}`, ...(name === "" ? [""] : [])];
  return texts.flatMap((text) => withoutWildcards(path.replace(wildcard, text)));
}

function withoutParameters(path: string): string {
  return path.replaceAll(/:(?:\w+|"[^"]*")/g, SEGMENT);
}
