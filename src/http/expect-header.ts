import type { HttpRequest } from "./message.js";
import { lowerAscii, tokenAt } from "./token.js";

/** One member of an `Expect` field (RFC 9110 §10.1.1). */
export interface Expectation {
  /** The token before `=` in ASCII lower case; if the member is malformed, the whole member in ASCII lower case. */
  readonly name: string;
  /** The value after `=`, without the quotes and escapes of a quoted string; `undefined` without `=`. */
  readonly value: string | undefined;
  /** The parameters after `;`, with names in ASCII lower case. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The member as it was sent, without white space around it. */
  readonly raw: string;
  /** Whether the member follows the field's grammar. */
  readonly wellFormed: boolean;
}

const NO_PARAMETERS: Readonly<Record<string, string>> = Object.freeze(Object.create(null));

/** The only member of nearly every `Expect` field. */
const CONTINUE: Expectation = Object.freeze({
  name: "100-continue",
  value: undefined,
  parameters: NO_PARAMETERS,
  raw: "100-continue",
  wellFormed: true,
});

/** The most expectations of one request. Each may make a policy run. */
export const MAX_EXPECTATIONS = 16;

/** Why a request with other expectations is refused with 417. */
export const UNKNOWN_EXPECTATION = "an expectation that this server does not know";
/** Why a request with more than {@link MAX_EXPECTATIONS} is refused with 417. */
export const TOO_MANY_EXPECTATIONS: string = `too many expectations: more than ${MAX_EXPECTATIONS}`;

/**
 * Parses the lines of an `Expect` field. Never throws. Takes time linear in the length of the lines.
 *
 * @param lines - the value of each `Expect` line, in the order received.
 * @returns the members, each once: members with the same name, value and parameters are the same. None if the field is
 *   empty or has only commas.
 * @see RFC 9110 §10.1.1, §5.6.1.2 (empty members of a list)
 */
export function parseExpect(lines: readonly string[]): Expectation[] {
  if (lines.length === 1 && lines[0] === CONTINUE.raw) return [CONTINUE];
  const members = new Map<string, Expectation>();
  // Most repeated members are repeated letter by letter, and need not be parsed again.
  for (const raw of new Set(lines.flatMap(splitList))) {
    const member = parseMember(raw);
    const key = identityOf(member);
    if (!members.has(key)) members.set(key, member);
  }
  return [...members.values()];
}

function identityOf({ name, value, parameters, wellFormed }: Expectation): string {
  return JSON.stringify([name, value, wellFormed, Object.entries(parameters).sort()]);
}

/** Returns the members of the `Expect` field of a request; none without the field. */
export function expectationsOf({ headers, rawHeaders }: Pick<HttpRequest, "headers" | "rawHeaders">): Expectation[] {
  if (headers.expect === undefined) return [];
  // Programs that make requests themselves may leave out `rawHeaders`.
  const lines = expectLines(rawHeaders ?? []);
  return parseExpect(lines.length > 0 ? lines : [headers.expect]);
}

/**
 * Returns the value of each `Expect` line of a message.
 *
 * @param rawHeaders - alternating names and values, as in Node's `message.rawHeaders`.
 */
export function expectLines(rawHeaders: readonly string[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 6 && lowerAscii(name) === "expect") lines.push(rawHeaders[i + 1] as string);
  }
  return lines;
}

/**
 * Whether a member is `100-continue`, the only expectation that RFC 9110 defines: the token in any letter case, without
 * a value, parameters or quotes.
 */
export function isContinue(member: Expectation): boolean {
  return member.raw.length === 12 && member.name === "100-continue";
}

// RFC 9110 §5.6.1: #element. A comma inside a quoted-string does not separate members. An unterminated quoted-string
// extends to the end of the line: otherwise its parts would count as members.
function splitList(line: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  const take = (end: number) => {
    const part = trimOws(line, start, end);
    if (part !== "") parts.push(part);
    start = end + 1;
  };
  for (let i = 0; i < line.length; i++) {
    const c = line[i];
    if (c === "," && !quoted) take(i);
    else if (c === '"') quoted = !quoted;
    else if (c === "\\" && quoted) i++;
  }
  take(line.length);
  return parts;
}

// RFC 9110 §10.1.1: expectation = token [ "=" ( token / quoted-string ) parameters ]
function parseMember(raw: string): Expectation {
  const name = tokenAt(raw, 0);
  if (name === "") return malformed(raw);
  let at = name.length;
  let value: string | undefined;
  if (raw[at] === "=") {
    const read = tokenOrQuoted(raw, at + 1);
    if (read === undefined) return malformed(raw);
    value = read.text;
    at = read.end;
  }
  const parameters = value === undefined ? undefined : parseParameters(raw, at);
  if (parameters === undefined && at !== raw.length) return malformed(raw);
  return { name: lowerAscii(name), value, parameters: parameters ?? NO_PARAMETERS, raw, wellFormed: true };
}

// RFC 9110 §5.6.6: parameters = *( OWS ";" OWS [ parameter ] ), parameter = token "=" ( token / quoted-string )
function parseParameters(raw: string, from: number): Record<string, string> | undefined {
  const parameters: Record<string, string> = Object.create(null);
  let at = skipOws(raw, from);
  while (at < raw.length) {
    if (raw[at] !== ";") return undefined;
    at = skipOws(raw, at + 1);
    if (at === raw.length || raw[at] === ";") continue;
    const name = tokenAt(raw, at);
    if (name === "" || raw[at + name.length] !== "=") return undefined;
    const read = tokenOrQuoted(raw, at + name.length + 1);
    if (read === undefined) return undefined;
    parameters[lowerAscii(name)] = read.text;
    at = skipOws(raw, read.end);
  }
  return parameters;
}

function tokenOrQuoted(raw: string, from: number): { text: string; end: number } | undefined {
  if (raw[from] === '"') return quotedString(raw, from);
  const text = tokenAt(raw, from);
  return text === "" ? undefined : { text, end: from + text.length };
}

// RFC 9110 §5.6.4: quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE
function quotedString(raw: string, from: number): { text: string; end: number } | undefined {
  let text = "";
  for (let i = from + 1; i < raw.length; i++) {
    let c = raw[i] as string;
    if (c === '"') return { text, end: i + 1 };
    if (c === "\\") {
      i++;
      c = raw[i] ?? "";
    }
    if (!/^[\t\x20-\x7e\x80-\xff]$/.test(c)) return undefined;
    text += c;
  }
  return undefined;
}

function malformed(raw: string): Expectation {
  return { name: lowerAscii(raw), value: undefined, parameters: NO_PARAMETERS, raw, wellFormed: false };
}

function skipOws(text: string, from: number): number {
  let at = from;
  while (text[at] === " " || text[at] === "\t") at++;
  return at;
}

// RFC 9110 §5.6.3: OWS is spaces and tabs only. String.prototype.trim() would also remove U+00A0 and others.
function trimOws(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && (text[start] === " " || text[start] === "\t")) start++;
  while (end > start && (text[end - 1] === " " || text[end - 1] === "\t")) end--;
  return text.slice(start, end);
}
