import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import { answerError, optionError } from "../support/errors.js";
import { named } from "./names.js";
import type { Policy, Upload, Verdict } from "./policy.js";
import { refuse } from "./refuse.js";
import { isThenable } from "./run.js";

/** What is stored where an upload is to go. */
export interface StoredResource {
  /** The entity tag as it stands in an `ETag` field, quotes included: `"abc"`, or `W/"abc"` for a weak one. */
  etag?: string | undefined;
  lastModified?: Date | undefined;
}

/** Finds what is stored where an upload is to go; `undefined` or `null` for nothing. */
export type PreconditionLookup<Req extends HttpRequest = IncomingMessage> = (
  req: Req,
  upload: Upload,
) => StoredResource | null | undefined | Promise<StoredResource | null | undefined>;

/**
 * Refuses a `PUT`, `PATCH` or `DELETE` whose `If-Match`, `If-Unmodified-Since` or `If-None-Match` does not hold, with
 * 412, before its content is sent; and with 400 where one of the entity-tag lists cannot be read.
 *
 * `lookup` is called only where one of these fields is there. Two uploads may pass at the same time: a handler that
 * must not overwrite has to make sure of it once more, for example with the flag `wx`. As RFC 9110 §13.1.4 demands,
 * `If-Unmodified-Since` is passed over where it is no HTTP date, or where nothing is known of the last change.
 *
 * @param lookup - answers the `etag` and `lastModified` of what is stored, or nothing.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` without a function.
 * @example preconditions(async (req) => await files.find(req.url)) // If-None-Match: *: no duplicate is sent
 * @see RFC 9110 §13.1, §13.2.2
 */
export function preconditions<Req extends HttpRequest = IncomingMessage>(lookup: PreconditionLookup<Req>): Policy<Req> {
  if (typeof lookup !== "function") throw optionError("preconditions(lookup)", lookup, "a function");
  return named("preconditions", (req: Req, upload: Upload) => {
    const conditions = METHODS.has(req.method ?? "") ? conditionsOf(req) : undefined;
    if (conditions === undefined) return true;
    if (conditions === "malformed") return MALFORMED;
    const stored = lookup(req, upload);
    return isThenable(stored)
      ? Promise.resolve(stored).then((found) => judge(conditions, found))
      : judge(conditions, stored);
  });
}

const METHODS = new Set(["PUT", "PATCH", "DELETE"]);
const MALFORMED = refuse(400, { reason: "a precondition that is no list of entity tags" });
const FAILED = refuse(412, { reason: "a precondition does not hold" });

/** `"*"`, or opaque tags with their quotes; `W/` is before the weak ones. */
type TagList = "*" | readonly string[];

interface Conditions {
  readonly ifMatch: TagList | undefined;
  readonly ifNoneMatch: TagList | undefined;
  /** Seconds since 1970. */
  readonly ifUnmodifiedSince: number | undefined;
}

function conditionsOf(req: HttpRequest): Conditions | "malformed" | undefined {
  const { "if-match": match, "if-none-match": noneMatch, "if-unmodified-since": since } = req.headers;
  if (match === undefined && noneMatch === undefined && since === undefined) return undefined;
  const ifMatch = match === undefined ? undefined : parseTags(match);
  const ifNoneMatch = noneMatch === undefined ? undefined : parseTags(noneMatch);
  if (ifMatch === "malformed" || ifNoneMatch === "malformed") return "malformed";
  return { ifMatch, ifNoneMatch, ifUnmodifiedSince: since === undefined ? undefined : parseHttpDate(since) };
}

// RFC 9110 §13.2.2, for methods that change what is stored.
function judge({ ifMatch, ifNoneMatch, ifUnmodifiedSince }: Conditions, found: unknown): Verdict {
  const stored = requireStored(found);
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, stored, isStrongMatch)) return FAILED;
  } else if (ifUnmodifiedSince !== undefined && stored?.lastModified) {
    if (Math.floor(stored.lastModified.getTime() / 1000) > ifUnmodifiedSince) return FAILED;
  }
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, stored, isWeakMatch)) return FAILED;
  return true;
}

function matches(
  tags: TagList,
  stored: StoredResource | undefined,
  isMatch: (a: string, b: string) => boolean,
): boolean {
  if (stored === undefined) return false;
  if (tags === "*") return true;
  const { etag } = stored;
  return etag !== undefined && tags.some((tag) => isMatch(tag, etag));
}

// RFC 9110 §8.8.3.2.
function isStrongMatch(a: string, b: string): boolean {
  return a === b && !a.startsWith("W/");
}

function isWeakMatch(a: string, b: string): boolean {
  return a.replace(/^W\//, "") === b.replace(/^W\//, "");
}

function requireStored(found: unknown): StoredResource | undefined {
  if (found === undefined || found === null) return undefined;
  const { etag, lastModified } = found as StoredResource;
  const isTag = etag === undefined || (typeof etag === "string" && ONE_TAG.test(etag));
  const isDate = lastModified === undefined || (lastModified instanceof Date && !Number.isNaN(lastModified.getTime()));
  if (typeof found === "object" && isTag && isDate) return found as StoredResource;
  throw answerError("preconditions(lookup)", found, 'nothing, or { etag: "\\"…\\"", lastModified: Date }');
}

/** RFC 9110 §8.8.3. */
const TAG = '(?:W/)?"[\\x21\\x23-\\x7e\\x80-\\xff]*"';
const ONE_TAG = new RegExp(`^${TAG}$`);

/** RFC 9110 §13.1.1: `"*" / 1#entity-tag`; §5.6.1 for empty members of a list. */
function parseTags(field: string): TagList | "malformed" {
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

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const TIME = "(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)";
const MONTH = `(?<month>${MONTHS.join("|")})`;

/** RFC 9110 §5.6.7: the one form that is sent, and the two that are obsolete. */
const DATES = [
  new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`),
  new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${MONTH} (?<day>[\\d ]\\d) ${TIME} (?<year>\\d{4})$`),
];

/** @returns seconds since 1970. */
function parseHttpDate(field: string): number | undefined {
  for (const form of DATES) {
    const parts = form.exec(field)?.groups;
    if (!parts) continue;
    const { day, month = "", year = "", hour, minute, second } = parts;
    const date = new Date(0);
    date.setUTCFullYear(year.length === 2 ? fullYear(Number(year)) : Number(year), MONTHS.indexOf(month), Number(day));
    if (date.getUTCDate() !== Number(day) || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) {
      return undefined;
    }
    return date.setUTCHours(Number(hour), Number(minute), Number(second)) / 1000;
  }
  return undefined;
}

// RFC 9110 §5.6.7: more than 50 years ahead means the past.
function fullYear(twoDigits: number): number {
  const thisYear = new Date().getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}
