const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const TIME = "(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)";
const MONTH = `(?<month>${MONTHS.join("|")})`;

// RFC 9110 §5.6.7: IMF-fixdate, and the obsolete rfc850-date and asctime-date, which recipients must accept.
const FORMATS = [
  new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`),
  new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${MONTH} (?<day>[\\d ]\\d) ${TIME} (?<year>\\d{4})$`),
];

/**
 * Parses an HTTP date. Does not check that the day of the week fits the date.
 *
 * @param field - the value of a field such as `If-Unmodified-Since`.
 * @returns seconds since 1970, or `undefined` if the field is not an HTTP date.
 * @see RFC 9110 §5.6.7
 */
export function parseHttpDate(field: string): number | undefined {
  for (const format of FORMATS) {
    const parts = format.exec(field)?.groups;
    if (!parts) continue;
    const { day, month = "", year = "", hour, minute, second } = parts;
    const date = new Date(0);
    date.setUTCFullYear(year.length === 2 ? fullYear(Number(year)) : Number(year), MONTHS.indexOf(month), Number(day));
    // 60: a leap second.
    if (date.getUTCDate() !== Number(day) || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) {
      return undefined;
    }
    return date.setUTCHours(Number(hour), Number(minute), Number(second)) / 1000;
  }
  return undefined;
}

// RFC 9110 §5.6.7: a two-digit year that seems to be more than 50 years ahead is in the past.
function fullYear(twoDigits: number): number {
  const thisYear = new Date().getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}
