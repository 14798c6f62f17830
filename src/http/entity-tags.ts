/** The value of `If-Match` or `If-None-Match`: `"*"`, or entity tags with their quotes and, if weak, their `W/`. */
export type EntityTags = "*" | readonly string[];

// RFC 9110 §8.8.3: entity-tag = [ weak ] opaque-tag
const TAG = '(?:W/)?"[\\x21\\x23-\\x7e\\x80-\\xff]*"';
const ONE_TAG = new RegExp(`^${TAG}$`);

/** Whether the whole text is one entity tag, such as `"abc"` or `W/"abc"` (RFC 9110 §8.8.3). */
export function isEntityTag(text: string): boolean {
  return ONE_TAG.test(text);
}

/**
 * Parses the value of `If-Match` or `If-None-Match`. Takes time linear in its length.
 *
 * @param field - the value of the field; several lines joined by commas.
 * @returns the entity tags, or `"malformed"` if the field does not follow the grammar or has no member.
 * @see RFC 9110 §13.1.1, §5.6.1 (empty members of a list)
 */
export function parseEntityTags(field: string): EntityTags | "malformed" {
  if (field === "*") return "*";
  const tags: string[] = [];
  const member = new RegExp(`[ \\t]*(?:(${TAG})[ \\t]*)?(?:,|$)`, "y");
  while (member.lastIndex < field.length) {
    const match = member.exec(field);
    if (!match) return "malformed";
    if (match[1] !== undefined) tags.push(match[1]);
  }
  return tags.length === 0 ? "malformed" : tags;
}

/** Compares two entity tags strongly: equal, and neither is weak (RFC 9110 §8.8.3.2). */
export function isStrongMatch(a: string, b: string): boolean {
  return a === b && !a.startsWith("W/");
}

/** Compares two entity tags weakly: equal, whether weak or not (RFC 9110 §8.8.3.2). */
export function isWeakMatch(a: string, b: string): boolean {
  return a.replace(/^W\//, "") === b.replace(/^W\//, "");
}
