import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "@jest/globals";
import {
  type Expectation,
  expectationsOf,
  expectLines,
  isContinue,
  parseExpect,
  TOO_MANY_EXPECTATIONS,
  UNKNOWN_EXPECTATION,
} from "../../../src/http/expect-header.js";
import { lowerAscii } from "../../../src/http/token.js";
import * as fc from "../../helpers/properties.js";

function holds<T>(property: fc.IProperty<T>): void {
  void fc.assert(property, { numRuns: 300 });
}

/** What is told about a member, with parameters as a plain object. */
function told({ name, value, parameters, wellFormed }: Expectation) {
  return { name, value, parameters: { ...parameters }, wellFormed };
}

function good(name: string, value?: string, parameters: Record<string, string> = {}) {
  return { name, value, parameters, wellFormed: true };
}

function bad(name: string) {
  return { name, value: undefined, parameters: {}, wellFormed: false };
}

const CONTINUE = good("100-continue");

describe("parseExpect reads the lines of the field as one list", () => {
  test.each<[what: string, lines: string[], members: ReturnType<typeof good>[]]>([
    ["no line", [], []],
    ["an empty line", [""], []],
    ["white space alone", [" \t "], []],
    ["commas alone", [",, ,\t,"], []],
    ["the one expectation", ["100-continue"], [CONTINUE]],
    ["lines behind the one expectation", ["100-continue", "a"], [CONTINUE, good("a")]],
    ["every line", ["a", "100-continue", "b"], [good("a"), CONTINUE, good("b")]],
    ["every member of a line", ["a,100-continue,b"], [good("a"), CONTINUE, good("b")]],
    [
      "the same member once",
      ["a, A", "b=1;x=2;y=3, b=1;Y=3 ; x=2, a"],
      [good("a"), good("b", "1", { x: "2", y: "3" })],
    ],
    ["a malformed member once", ["x=, X=, y z, y z"], [bad("x="), bad("y z")]],
    [
      "members that differ in value, parameters or their letter case",
      ["a=b, a=B, a=c, a, a=b;c=d, a=b;c=D"],
      [
        good("a", "b"),
        good("a", "B"),
        good("a", "c"),
        good("a"),
        good("a", "b", { c: "d" }),
        good("a", "b", { c: "D" }),
      ],
    ],
    ["empty members between others", [", a,,\t, b ,"], [good("a"), good("b")]],
    ["spaces and tabs around members", [" \t100-continue\t , a "], [CONTINUE, good("a")]],
    ["a value", ["size-class=large"], [good("size-class", "large")]],
    ["a quoted value", ['x="large"'], [good("x", "large")]],
    ["an empty quoted value", ['x=""'], [good("x", "")]],
    ["a comma within quotes", ['x="a, 100-continue", y'], [good("x", "a, 100-continue"), good("y")]],
    ["an escaped quote", ['x="a\\"b, c", y'], [good("x", 'a"b, c'), good("y")]],
    ["an escaped backslash before the closing quote", ['x="a\\\\", y'], [good("x", "a\\"), good("y")]],
    ["an escaped letter", ['x="\\a"'], [good("x", "a")]],
    ["tabs and Latin-1 letters within quotes", ['x="a\tb\u00e9"'], [good("x", "a\tb\u00e9")]],
    ["a letter case that is kept in values", ['X=Large;Q="Y"'], [good("x", "Large", { q: "Y" })]],
    ["parameters", ["x=1;a=2;b=3"], [good("x", "1", { a: "2", b: "3" })]],
    ["white space around the semicolons", ["x=1 ;\ta=2 ; b=3"], [good("x", "1", { a: "2", b: "3" })]],
    ["empty parameters", ["x=1;;a=2; ;"], [good("x", "1", { a: "2" })]],
    [
      "a quoted parameter with comma and semicolon",
      ['x=1;a="b, c;d", y'],
      [good("x", "1", { a: "b, c;d" }), good("y")],
    ],
    ["an empty quoted parameter", ['x=1;a=""'], [good("x", "1", { a: "" })]],
    ["the last of two parameters with one name", ["x=1;a=2;A=3"], [good("x", "1", { a: "3" })]],
    ["all the other characters of a token", ["!#$%&'*+-.^_`|~0"], [good("!#$%&'*+-.^_`|~0")]],
  ])("reads %s", (_what, lines, members) => {
    expect(parseExpect(lines).map(told)).toEqual(members);
  });

  test.each<[what: string, line: string, members: ReturnType<typeof good>[]]>([
    ["a word before the token", "y 100-continue", [bad("y 100-continue")]],
    ["a word behind the token", "100-continue y", [bad("100-continue y")]],
    ["a parameter without a value before it", "100-continue;q=1", [bad("100-continue;q=1")]],
    ["a semicolon", "100-continue;", [bad("100-continue;")]],
    ["quotes around the token", '"100-continue"', [bad('"100-continue"')]],
    ["an equals sign without a value", "x=", [bad("x=")]],
    ["an equals sign without a name", "=x", [bad("=x")]],
    ["two values", "x=1=2", [bad("x=1=2")]],
    ["white space around the equals sign", "x = 1", [bad("x = 1")]],
    ["text behind a quoted value", 'x="a"b', [bad('x="a"b')]],
    ["a parameter without a value", "x=1;flag", [bad("x=1;flag")]],
    ["a parameter without a name", "x=1;=2", [bad("x=1;=2")]],
    ["white space within a parameter", "x=1;a =2", [bad("x=1;a =2")]],
    ["a parameter with a colon", "x=1;a:2", [bad("x=1;a:2")]],
    ["parameters without semicolon", "x=1 a=2", [bad("x=1 a=2")]],
    ["an unterminated quote, which takes the rest", 'x="a, 100-continue', [bad('x="a, 100-continue')]],
    ["a quote that ends in a backslash", 'x="a\\', [bad('x="a\\')]],
    ["a closing quote that is escaped", 'x="a\\", 100-continue', [bad('x="a\\", 100-continue')]],
    ["a no-break space, which is no white space", "\u00a0100-continue", [bad("\u00a0100-continue")]],
    ["a no-break space behind", "100-continue\u00a0", [bad("100-continue\u00a0")]],
    ["a line feed, which is no white space", "\n100-continue", [bad("\n100-continue")]],
    ["NUL", "100-continue\u0000", [bad("100-continue\u0000")]],
    ["a control byte within quotes", 'x="a\u0001b"', [bad('x="a\u0001b"')]],
    ["DEL within quotes", 'x="\u007f"', [bad('x="\u007f"')]],
    ["an escaped control byte", 'x="\\\u0001"', [bad('x="\\\u0001"')]],
    ["a letter beyond Latin-1 within quotes", 'x="\u0100"', [bad('x="\u0100"')]],
    ["a letter outside of tokens, in its own case", "X\u212a", [bad("x\u212a")]],
  ])("takes %s for a member that follows no grammar", (_what, line, members) => {
    expect(parseExpect([line]).map(told)).toEqual(members);
  });

  test("keeps each member as it was sent, without the white space around it", () => {
    expect(parseExpect([' 100-Continue\t, X="a, b" ;Q=1 ,y z']).map(({ raw }) => raw)).toEqual([
      "100-Continue",
      'X="a, b" ;Q=1',
      "y z",
    ]);
  });

  test("keeps the first of members that are the same", () => {
    expect(parseExpect(["X=1, x=1, A B, a b"]).map(({ raw }) => raw)).toEqual(["X=1", "A B"]);
  });

  test("lets an unterminated quote take the rest of its own line alone", () => {
    expect(parseExpect(['x="a, b', "100-continue"]).map(told)).toEqual([bad('x="a, b'), CONTINUE]);
  });

  test("keeps parameters apart from what every object inherits", () => {
    const [member] = parseExpect(["x=1;__proto__=2;constructor=3"]);
    expect(Object.entries(member!.parameters)).toEqual([
      ["__proto__", "2"],
      ["constructor", "3"],
    ]);
    expect(parseExpect(["x=1"])[0]!.parameters.toString).toBeUndefined();
  });
});

describe("isContinue", () => {
  test.each(["100-continue", "100-Continue", "100-CONTINUE", " 100-continue\t"])("accepts %j", (line) => {
    expect(parseExpect([line]).map(isContinue)).toEqual([true]);
  });

  test.each([
    "y 100-continue",
    "100-continue y",
    "100-continue;q=1",
    "100-continue;",
    '"100-continue"',
    "x=100-continue",
    'x="100-continue"',
    "100-continue=",
    "100-continue=1",
    "100-continue=100-continue",
    '100-continue=""',
    "100-continue-x",
    "x100-continue",
    "100-continu",
    "100_continue",
    "100 continue",
    "100\u2010continue",
    "100-cont\u0130nue",
    "100-cont\u0131nue",
    "\u00a0100-continue",
    "100-continue\u0000",
    "100-continue\u000b",
  ])("does not take %j for it", (line) => {
    const members = parseExpect([line]);
    expect(members).toHaveLength(1);
    expect(members.some(isContinue)).toBe(false);
  });
});

describe("lowerAscii", () => {
  test.each([
    ["AbZ-09", "abz-09"],
    ["\u212a", "\u212a"],
    ["\u0130", "\u0130"],
    ["\u00c9", "\u00c9"],
    ["", ""],
  ])("makes %j into %j", (text, folded) => {
    expect(lowerAscii(text)).toBe(folded);
  });
});

describe("expectLines", () => {
  test.each<[what: string, rawHeaders: string[], lines: string[]]>([
    ["none", ["Host", "a"], []],
    ["each, in the order received", ["Expect", "b", "Host", "h", "Expect", "a"], ["b", "a"]],
    ["names in any letter case", ["EXPECT", "a", "expect", "b", "eXpect", "c"], ["a", "b", "c"]],
    ["empty values", ["Expect", ""], [""]],
    ["no name that is alike", ["Expects", "a", "X-Expect", "b", "Expec", "c", "Expect ", "d", "Accept", "e"], []],
    ["no value that looks like the name", ["X", "Expect", "Y", "100-continue"], []],
    ["no name without a value", ["Expect"], []],
  ])("finds %s", (_what, rawHeaders, lines) => {
    expect(expectLines(rawHeaders)).toEqual(lines);
  });
});

describe("expectationsOf", () => {
  const namesOf = (req: Partial<Parameters<typeof expectationsOf>[0]>) =>
    expectationsOf(req as Parameters<typeof expectationsOf>[0]).map(({ name }) => name);

  test.each([
    ["none without the field", { headers: {}, rawHeaders: ["Expect", "a"] }, []],
    ["those of each line", { headers: { expect: "a" }, rawHeaders: ["Expect", "a", "Expect", "b"] }, ["a", "b"]],
    ["those of the field, without lines", { headers: { expect: "a" }, rawHeaders: ["Host", "h"] }, ["a"]],
    ["those of the field, without rawHeaders", { headers: { expect: "a, b" } }, ["a", "b"]],
  ])("returns %s", (_what, req, names) => {
    expect(namesOf(req)).toEqual(names);
  });
});

test("the reasons of a 417 say what is wrong", () => {
  expect(UNKNOWN_EXPECTATION).toBe("an expectation that this server does not know");
  expect(TOO_MANY_EXPECTATIONS).toBe("too many expectations: more than 16");
});

describe("for any input", () => {
  const pieces = fc.constantFrom(
    "100-continue",
    "100-Continue",
    "x",
    "K=1",
    ",",
    ";",
    "=",
    '"',
    "\\",
    " ",
    "\t",
    "\u00a0",
    "\u212a",
    "\u0000",
    "q=1",
  );
  const hostile = fc.oneof(
    fc.array(pieces, { maxLength: 20 }).map((parts) => parts.join("")),
    fc.string({ unit: "binary", maxLength: 60 }),
  );
  const ascii = fc.oneof(
    fc.array(pieces, { maxLength: 20 }).map((parts) => parts.join("").replace(/[^\0-\x7f]/g, "")),
    fc.string({ unit: "binary-ascii", maxLength: 60 }),
  );
  const token = fc.string({ unit: fc.constantFrom(..."abKZ09-!~"), minLength: 1, maxLength: 6 });
  const quoted = fc
    .array(fc.constantFrom("a", ",", ";", "=", " ", '\\"', "\\\\", "\u00e9"), { maxLength: 8 })
    .map((parts) => `"${parts.join("")}"`);
  const member = fc.oneof(
    token,
    fc.tuple(token, fc.oneof(token, quoted)).map(([name, value]) => `${name}=${value}`),
    fc.tuple(token, quoted, token, quoted).map(([name, value, key, of]) => `${name}=${value}; ${key}=${of}`),
    quoted,
    fc.constantFrom("", " ", "100-continue", "y 100-continue"),
  );
  const balanced = fc.array(member, { maxLength: 5 }).map((members) => members.join(" ,\t"));

  test("never throws, and every member has text and no white space around it", () => {
    holds(
      fc.property(fc.array(hostile, { maxLength: 4 }), (lines) => {
        for (const { raw } of parseExpect(lines)) expect(raw).toMatch(/^[^ \t](?:.*[^ \t])?$/s);
        expectLines(lines);
      }),
    );
  });

  test("the letter case of what is ASCII makes no difference", () => {
    const folded = (line: string) =>
      parseExpect([line]).map((parsed) => ({
        name: parsed.name,
        parameters: Object.keys(parsed.parameters),
        wellFormed: parsed.wellFormed,
        isContinue: isContinue(parsed),
      }));
    holds(
      fc.property(ascii, (line) => {
        expect(folded(line.toUpperCase())).toEqual(folded(line.toLowerCase()));
      }),
    );
  });

  test("only the bare token is 100-continue", () => {
    holds(
      fc.property(fc.array(hostile, { maxLength: 4 }), (lines) => {
        for (const parsed of parseExpect(lines)) expect(isContinue(parsed)).toBe(/^100-continue$/i.test(parsed.raw));
      }),
    );
  });

  test("without quotes, the members are what stands between commas", () => {
    holds(
      fc.property(hostile, (text) => {
        const line = text.replaceAll('"', "");
        const between = line.split(",").map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ""));
        const alone = between.filter((part) => part !== "").map((part) => parseExpect([part])[0] as Expectation);
        const distinct = alone.filter(
          (one, i) => !alone.slice(0, i).some((other) => isDeepStrictEqual(told(one), told(other))),
        );
        expect(parseExpect([line])).toEqual(distinct);
      }),
    );
  });

  test("what follows the grammar is taken apart into what it was made of", () => {
    const value = fc.string({ unit: fc.constantFrom(...'aZ,;= \t"\\\u00e9'), maxLength: 8 });
    const quote = (text: string) => `"${text.replace(/["\\]/g, "\\$&")}"`;
    holds(
      fc.property(token, value, token, value, (name, of, key, keyOf) => {
        const members = parseExpect([`a, ${name}=${quote(of)};${key}=${quote(keyOf)},b`]);
        expect(members.map(told)).toEqual([
          good("a"),
          good(name.toLowerCase(), of, { [key.toLowerCase()]: keyOf }),
          good("b"),
        ]);
      }),
    );
  });

  test("lines joined with a comma are the same list, as long as their quotes are balanced", () => {
    holds(
      fc.property(fc.array(balanced, { maxLength: 4 }), (lines) => {
        expect(parseExpect([lines.join(",")])).toEqual(parseExpect(lines));
      }),
    );
  });
});

describe("takes time linear in the length of the line", () => {
  const HOSTILE: Record<string, (bytes: number) => string> = {
    "commas alone": (n) => ",".repeat(n),
    "many members": (n) => "a,".repeat(n / 2),
    "many different members": (n) => Array.from({ length: n / 8 }, (_, i) => `a=${i}`).join(),
    "white space": (n) => `a${" ".repeat(n)}b`,
    "white space between commas": (n) => `${" ".repeat(99)},`.repeat(n / 100),
    "opening quotes": (n) => '"'.repeat(n + 1),
    "an unterminated quote full of commas": (n) => `x="${",a".repeat(n / 2)}`,
    "backslashes within quotes": (n) => `x="${"\\".repeat(n)}"`,
    "quotes escaped within quotes": (n) => `x="${'\\"'.repeat(n / 2)}"`,
    "empty parameters": (n) => `x=1${";".repeat(n)}`,
    "empty parameters with white space": (n) => `x=1${"; \t".repeat(n / 3)}`,
    "many parameters": (n) => `x=1${";a=b".repeat(n / 4)}`,
    "parameters that fail at the end": (n) => `x=1${';a="b"'.repeat(n / 6)};`.concat('c="'),
    "a long token": (n) => "A".repeat(n),
    "letters in turns": (n) => "Aa".repeat(n / 2),
    "100-continue over and over": (n) => "100-continue,".repeat(n / 13),
  };

  function msOf(line: string): number {
    const begin = performance.now();
    parseExpect([line]).some(isContinue);
    return performance.now() - begin;
  }

  test.each(Object.entries(HOSTILE))("%s: ten times the length, less than a hundred times the time", (_, make) => {
    const lines = { short: make(16_000), long: make(160_000) };
    const fastest = { short: Number.POSITIVE_INFINITY, long: Number.POSITIVE_INFINITY };
    const ratio = () => fastest.long / Math.max(fastest.short, 0.5);
    // On a busy machine a run may be interrupted: the fastest of as many as it takes, within bounds.
    for (let run = 0; run < 5 || (run < 50 && ratio() >= 80); run++) {
      fastest.short = Math.min(fastest.short, msOf(lines.short));
      fastest.long = Math.min(fastest.long, msOf(lines.long));
    }
    expect(fastest.long).toBeLessThan(1_000);
    expect(ratio()).toBeLessThan(80);
  });
});
