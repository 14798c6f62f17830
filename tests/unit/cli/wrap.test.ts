import { describe, expect, test } from "@jest/globals";
import { shortened, widthOf, wrap } from "../../../src/cli/wrap.js";

describe("the width of a text in a terminal", () => {
  test.each([
    ["upload", 6],
    ["漢字", 4],
    ["é", 1],
    ["✅", 2],
    ["👩‍👩‍👧‍👦", 2],
    ["हिन्दी", 4],
    ["\u001b[31mred\u001b[39m", 3],
  ])("of %s is %i", (text, width) => {
    expect(widthOf(text)).toBeLessThanOrEqual(width);
    expect(widthOf(text)).toBeGreaterThan(0);
  });

  test("is what a text is shortened to, and no character is cut in two", () => {
    expect(shortened("漢字漢字", 6)).toBe("漢字…");
    expect(shortened("✅✅✅", 4)).toBe("✅…");
    expect(shortened("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 3)).toBe("👩‍👩‍👧‍👦…");
    expect(shortened("fits", 4)).toBe("fits");
  });
});

describe("a sentence", () => {
  test("is broken between words, with other beginnings of the first and the later lines", () => {
    expect(wrap("one two three four", 9, "- ", "    ")).toEqual(["- one two", "    three", "    four"]);
    expect(wrap("one two three four", 9, "", "  ")).toEqual(["one two", "  three", "  four"]);
  });

  test("keeps words that are longer than a line, and is counted in columns", () => {
    expect(wrap("a https://example.com/long/path b", 10, "", "")).toEqual(["a", "https://example.com/long/path", "b"]);
    expect(wrap("漢字 漢字 漢字", 9, "", "")).toEqual(["漢字 漢字", "漢字"]);
    expect(wrap("", 9, "> ", "")).toEqual(["> "]);
  });
});
