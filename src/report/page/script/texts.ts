/** The part of the script that writes numbers, sizes, durations and times as text. */
export const TEXTS: string = `
  const whole = new Intl.NumberFormat("en");
  const decimal = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
  const rough = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });
  const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

  function bytesOf(bytes) {
    let unit = 0;
    let value = bytes;
    for (; value >= 1023.5 && unit < UNITS.length - 1; unit++) value /= 1024;
    return [unit === 0 || value >= 100 ? whole.format(Math.round(value)) : decimal.format(value), UNITS[unit]];
  }

  function bytesText(bytes) {
    return bytesOf(bytes).join(" ");
  }

  function count(number, one, many) {
    return whole.format(number) + " " + (number === 1 ? one : many);
  }

  function shareText(part, all) {
    if (part === 0 || all === 0) return "0%";
    const percent = (100 * part) / all;
    return percent < 1 ? "<1%" : Math.round(percent) + "%";
  }

  function durationText(ms) {
    if (ms >= 1000) return decimal.format(ms / 1000) + " s";
    return decimal.format(ms) + " ms";
  }

  function spanText(ms) {
    for (const [unit, length] of Object.entries({ d: 864e5, h: 36e5, min: 6e4, s: 1e3 })) {
      if (ms >= length) return rough.format(ms / length) + " " + unit;
    }
    return Math.round(ms) + " ms";
  }

  /** @type {Intl.DateTimeFormatOptions} */
  const DAY = { day: "numeric", month: "short" };
  /** @type {Intl.DateTimeFormatOptions} */
  const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  /** @type {Intl.DateTimeFormatOptions} */
  const SECONDS = { ...CLOCK, second: "2-digit" };
  const moment = new Intl.DateTimeFormat("en-GB", { ...DAY, year: "numeric", ...SECONDS });
  const momentWithZone = new Intl.DateTimeFormat("en-GB", { ...DAY, year: "numeric", ...SECONDS, timeZoneName: "short" });
  const clock = new Intl.DateTimeFormat("en-GB", SECONDS);
  const shortMoment = new Intl.DateTimeFormat("en-GB", { ...DAY, ...CLOCK });

  function sameDay(a, b) {
    return a.toDateString() === b.toDateString();
  }

  function statusText(status) {
    const name = settings.statusNames[status];
    return name === undefined ? status : status + " " + name;
  }
`;
