import { optionError } from "./errors.js";

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 2 ** 10,
  kib: 2 ** 10,
  mb: 2 ** 20,
  mib: 2 ** 20,
  gb: 2 ** 30,
  gib: 2 ** 30,
  tb: 2 ** 40,
  tib: 2 ** 40,
};

/**
 * Parses a size. Throws for anything that is not exactly a size, so that a typing error does not become a wrong limit
 * (docs/facts.md, "Sizes in bytes").
 *
 * Units are powers of 1,024, with or without the `i`. Letter case is ignored, and so is one space before the unit.
 *
 * @param value - bytes as a whole number, or text such as `"10mb"`, `"1.5 GiB"`.
 * @param option - the name of the option, for the error message.
 * @returns a whole number of bytes, 1 or more.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for any other value.
 */
export function parseSize(value: unknown, option: string): number {
  const bytes = typeof value === "string" ? fromText(value) : value;
  if (typeof bytes === "number" && Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw optionError(
    option,
    value,
    'a positive whole number of bytes, or a size such as "10mb" (units: b, kb, mb, gb, tb)',
  );
}

function fromText(text: string): number {
  const match = /^(\d{1,16}(?:\.\d{1,6})?) ?([a-z]{0,3})$/i.exec(text);
  const unit = UNITS[match?.[2]?.toLowerCase() ?? "none"];
  return match && unit ? Number(match[1]) * unit : Number.NaN;
}
