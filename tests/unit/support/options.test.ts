import { EventEmitter } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { createServer as createNetServer } from "node:net";
import { describe, expect, test } from "@jest/globals";
import connect from "connect";
import express from "express";
import {
  admission,
  allOf,
  anyOf,
  attach,
  authorize,
  concurrency,
  detach,
  ExpectationError,
  expectations,
  type Guard,
  knownLength,
  maxSize,
  mediaTypes,
  minRate,
  type Policy,
  preconditions,
  quota,
  refuse,
  silent,
  when,
} from "../../../src/index.js";

const policy = () => true;
const list: unknown[] = [];
const object = {};

/** Makes a guard, or attaches a server, from options that TypeScript would not allow. */
const FACTORIES: Record<"expectations" | "attach", (options: unknown) => unknown> = {
  expectations: (options) => expectations(options as object),
  attach: (options) => attach(createServer(), options as object),
};

function thrownBy(call: () => unknown): ExpectationError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(ExpectationError);
    return error as ExpectationError;
  }
  throw new Error("nothing was thrown");
}

function expectOptionError(call: () => unknown, option: string, received: string, right: RegExp): void {
  const { code, message } = thrownBy(call);
  expect(code).toBe("ERR_EXPECT_OPTION");
  expect(message).toContain(`${option}: received ${received}`);
  expect(message).toMatch(right);
}

/** A value of every kind, and how a message shows it. */
const KINDS: [value: unknown, shown: string][] = [
  [null, "null"],
  [true, "true"],
  [false, "false"],
  [0, "0"],
  [-1, "-1"],
  [1, "1"],
  [1.5, "1.5"],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "Infinity"],
  [2 ** 31, "2147483648"],
  [10n, "10"],
  ["", '""'],
  ["yes", '"yes"'],
  ["60000", '"60000"'],
  [Symbol("s"), "Symbol(s)"],
  [object, "an object"],
  [list, "an array"],
  [policy, "a function (policy)"],
  [
    (
      () => () =>
        true
    )(),
    "a function",
  ],
];

/** How a message shows a value. */
const shownOf = (value: unknown) => KINDS.find(([kind]) => Object.is(kind, value))?.[1] ?? String(value);

describe.each(["expectations", "attach"] as const)("a message of %s", (factory) => {
  test.each(KINDS)("shows %p", (value, shown) => {
    const name = factory === "attach" ? "attach({ unknownExpectations })" : "unknownExpectations";
    const make = () => FACTORIES[factory]({ unknownExpectations: value });
    expectOptionError(make, name, shown, /expected "refuse" or "ignore"$/);
  });
});

/** What is close to a right value, and is none. */
const NO_BOOLEAN = [null, 0, 1, "", "yes", object];
const NO_CHOICE = [null, true, false, 0, "", "yes", object, list, policy];
const NO_FUNCTION = [null, true, false, 1, "yes", object, list];
const NO_COUNT = [null, true, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 10n, "", "60000", object, list, policy];
const TOO_MANY_MS = [...NO_COUNT, 2 ** 31];
const MS = /expected a whole number from 1 to 2147483647$/;

interface Rule {
  readonly factory: keyof typeof FACTORIES;
  readonly option: string;
  readonly takes: readonly unknown[];
  readonly refuses: readonly unknown[];
  readonly says: RegExp;
}

const rule = (
  factory: Rule["factory"],
  option: string,
  takes: Rule["takes"],
  refuses: Rule["refuses"],
  says: RegExp,
): Rule => ({ factory, option, takes, refuses, says });

test.each<Rule>([
  rule("expectations", "policies", [list], [null, true, 0, "yes", object, policy], /expected a list of functions$/),
  rule("expectations", "autoAttach", [true, false], NO_BOOLEAN, /expected true or false$/),
  rule("expectations", "continueTiming", [], NO_CHOICE, /"onRead" or "immediately"$/),
  rule("expectations", "applyTo", [], NO_CHOICE, /"uploads" or "expectations"$/),
  rule("expectations", "extensions", [object], [null, true, 1, "yes", list, policy], /expected an object of policies/),
  rule("expectations", "unknownExpectations", [], NO_CHOICE, /"refuse" or "ignore"$/),
  rule("expectations", "policyTimeoutMs", [1], TOO_MANY_MS, MS),
  rule("expectations", "expectationStatus", [], [...TOO_MANY_MS, 1], /a status from 400 to 599$/),
  rule("expectations", "refusalBody", [policy], NO_FUNCTION, /"auto" or "none" or "problem"/),
  rule("expectations", "onRefusal", [policy], NO_FUNCTION, /expected a function$/),
  rule("attach", "guard", [policy], NO_FUNCTION, /expected a function$/),
  rule("attach", "unknownExpectations", [], NO_CHOICE, /"refuse" or "ignore"$/),
  rule("attach", "extensions", [list], [null, true, 1, "yes", object, policy], /a list of names/),
  rule("attach", "lingerMs", [1], TOO_MANY_MS, MS),
  rule("attach", "lingerBytes", [1, 2 ** 31], NO_COUNT, /expected a whole number from 1 to 9007199254740991$/),
  rule("attach", "maxLingering", [1], TOO_MANY_MS, MS),
  rule("attach", "bodyTimeoutMs", [1], TOO_MANY_MS, MS),
  rule("attach", "minBytesPerSecond", [1, 2 ** 31], NO_COUNT, /expected a whole number from 1 to 9007199254740991$/),
  rule("attach", "rateGraceMs", [1], TOO_MANY_MS, MS),
  rule("attach", "replaceListeners", [true, false], NO_BOOLEAN, /expected true or false$/),
])("$factory takes what is right for $option, and throws for what is not", ({ factory, option, ...values }) => {
  const make = (value: unknown) => FACTORIES[factory]({ [option]: value });
  const name = factory === "attach" ? `attach({ ${option} })` : option;
  for (const value of values.refuses) expectOptionError(() => make(value), name, shownOf(value), values.says);
  for (const value of [undefined, ...values.takes]) expect(() => make(value)).not.toThrow();
});

test.each<[option: string, values: unknown[]]>([
  ["continueTiming", ["onRead", "immediately"]],
  ["applyTo", ["uploads", "expectations"]],
  ["unknownExpectations", ["refuse", "ignore"]],
  ["policyTimeoutMs", [1, 2 ** 31 - 1]],
  ["expectationStatus", [400, 417, 599]],
  ["refusalBody", ["auto", "none", "problem"]],
  ["logger", [silent, console]],
  ["extensions", [{}, { "size-class": policy, "!#$%&'*+-.^_`|~": policy }, Object.create(null)]],
])("expectations takes every right value of %s", (option, values) => {
  for (const value of values) expect(() => expectations({ [option]: value })).not.toThrow();
});

test.each([399, 600, 417.5, "417", 200, 100])("expectationStatus is no %p", (status) => {
  expectOptionError(
    () => expectations({ expectationStatus: status as number }),
    "expectationStatus",
    JSON.stringify(status),
    /expected a status from 400 to 599$/,
  );
});

test("the message about refusalBody names all that is right, a function too", () => {
  const { message } = thrownBy(() => expectations({ refusalBody: "json" as "auto" }));
  expect(message).toMatch(/^refusalBody: received "json"; expected .*function/);
});

describe.each(["expectations", "attach"] as const)("%s checks its logger", (factory) => {
  const name = factory === "attach" ? "attach({ logger })" : "logger";

  test.each<[value: unknown, shown: string]>([
    [null, "null"],
    [0, "number"],
    [true, "boolean"],
    ["console", "string"],
    [{}, "object"],
    [[], "object"],
    [() => {}, "function"],
    [{ warn() {} }, "object"],
    [{ error() {} }, "object"],
    [{ warn: true, error: true }, "object"],
    [{ log() {}, info() {} }, "object"],
  ])("and throws for %p", (logger, shown) => {
    expectOptionError(() => FACTORIES[factory]({ logger }), name, shown, /methods warn and error; expected a logger/);
  });
});

describe("expectations checks each policy and extension", () => {
  test.each<[value: unknown, shown: string]>([
    [undefined, "undefined"],
    [null, "null"],
    [true, "true"],
    ["maxSize", '"maxSize"'],
    [{}, "an object"],
    [[policy], "an array"],
  ])("a policy is no %p", (value, shown) => {
    const make = () => expectations({ policies: [policy, value as typeof policy] });
    expectOptionError(make, "policies[1]", shown, /expected a function, such as maxSize/);
    const extend = () => expectations({ extensions: { "size-class": value as typeof policy } });
    expectOptionError(extend, 'extensions["size-class"]', shown, /expected a policy function/);
  });

  test("a hole in the list is no policy", () => {
    const policies = new Array<typeof policy>(2);
    policies[1] = policy;
    expectOptionError(() => expectations({ policies }), "policies[0]", "undefined", /expected a function/);
  });

  test("a set is no list", () => {
    const policies = new Set([policy]) as never;
    expectOptionError(() => expectations({ policies }), "policies", "an object", /list of functions/);
  });

  test.each(["", "size class", "a,b", "a=b", "a;b", "größe", "\u212a", '"x"', "a\n"])(
    "an expectation's name is no %j",
    (key) => {
      const make = () => expectations({ extensions: { [key]: policy } });
      expectOptionError(make, `extensions[${JSON.stringify(key)}]`, "a function (policy)", /a token .* as its name/);
    },
  );

  test.each(["100-continue", "100-Continue"])("%s is the handshake itself and no extension", (key) => {
    const make = () => expectations({ extensions: { [key]: policy } });
    expectOptionError(make, `extensions["${key}"]`, "a function (policy)", /expected another name/);
  });

  test("one name in two letter cases has two policies", () => {
    const make = () => expectations({ extensions: { "size-class": policy, "Size-Class": policy } });
    expectOptionError(make, 'extensions["Size-Class"]', "a function (policy)", /one policy for each name/);
  });

  test("what an object inherits is no extension", () => {
    const extensions = Object.create({ "100-continue": policy, "not a token": 1 });
    expect(() => expectations({ extensions })).not.toThrow();
  });

  test("a map has no own keys and is no object of policies", () => {
    const extensions = new Map([["size-class", policy]]) as never;
    expectOptionError(() => expectations({ extensions }), "extensions", "an object", /object of policies/);
  });
});

describe("attach checks the names of extensions", () => {
  test.each<[what: string, names: unknown[]]>([
    ["an empty name", [""]],
    ["something else than text", ["a", 1]],
    ["undefined", [undefined]],
    ["a hole", new Array(1)],
    ["a policy", [policy]],
    ["what is no token, and matches nothing", ["size class"]],
    ["the handshake itself", ["100-Continue"]],
  ])("and throws for %s", (_what, names) => {
    const { code, message } = thrownBy(() => attach(createServer(), { extensions: names as string[] }));
    expect(code).toBe("ERR_EXPECT_OPTION");
    expect(message).toMatch(/^attach\(\{ extensions \}\).*: received .*; expected /);
  });

  test("and takes names in any letter case", () => {
    expect(() => attach(createServer(), { extensions: ["Size-Class", "x"] })).not.toThrow();
  });
});

describe.each(["expectations", "attach"] as const)("%s takes a bag of known keys", (factory) => {
  test.each<[value: unknown, shown: string]>([
    [null, "null"],
    [false, "false"],
    [1, "1"],
    ["policies", '"policies"'],
    [[policy], "an array"],
    [maxSize("1mb"), "a function (maxSize)"],
  ])("and throws for %p", (options, shown) => {
    expectOptionError(() => FACTORIES[factory](options), `${factory}(options)`, shown, /expected an object$/);
  });

  test("and throws for a key that is like no other, and lists what is known", () => {
    const { code, message } = thrownBy(() => FACTORIES[factory]({ qqq: 1 }));
    expect(code).toBe("ERR_EXPECT_OPTION");
    expect(message).toMatch(/^\w+\(options\): unknown option "qqq"; expected one of .*, logger, /s);
    if (factory === "attach") expect(message).toMatch(/^attach.* guard, .* replaceListeners$/);
    else expect(message).toMatch(/^expectations.* policies, .* onRefusal$/);
  });

  test("and throws for an unknown key whose value is undefined", () => {
    expect(thrownBy(() => FACTORIES[factory]({ limit: undefined })).message).toContain('unknown option "limit"');
  });

  test("and throws for an own key named __proto__", () => {
    const options = JSON.parse('{"__proto__":{"logger":null}}');
    expect(thrownBy(() => FACTORIES[factory](options)).message).toContain('unknown option "__proto__"');
  });
});

test.each<[factory: keyof typeof FACTORIES, key: string, nearest: string]>([
  ["expectations", "polices", "policies"],
  ["expectations", "Policies", "policies"],
  ["expectations", "policy", "policies"],
  ["expectations", "loger", "logger"],
  ["expectations", "autoattach", "autoAttach"],
  ["expectations", "continueTime", "continueTiming"],
  ["expectations", "appliesTo", "applyTo"],
  ["expectations", "extension", "extensions"],
  ["expectations", "unknownExpectation", "unknownExpectations"],
  ["expectations", "policyTimeout", "policyTimeoutMs"],
  ["expectations", "expectedStatus", "expectationStatus"],
  ["expectations", "refusalbody", "refusalBody"],
  ["expectations", "onRefuse", "onRefusal"],
  ["attach", "gaurd", "guard"],
  ["attach", "lingerMS", "lingerMs"],
  ["attach", "lingerByte", "lingerBytes"],
  ["attach", "maxLinger", "maxLingering"],
  ["attach", "bodyTimeout", "bodyTimeoutMs"],
  ["attach", "minBytePerSecond", "minBytesPerSecond"],
  ["attach", "rateGrace", "rateGraceMs"],
  ["attach", "replaceListener", "replaceListeners"],
])("%s asks about the unknown key %s whether %s was meant", (factory, key, nearest) => {
  const { code, message } = thrownBy(() => FACTORIES[factory]({ [key]: 1 }));
  expect(code).toBe("ERR_EXPECT_OPTION");
  expect(message).toBe(`${factory}(options): unknown option "${key}"; did you mean ${nearest}?`);
});

describe("app.use(expectations), without the call,", () => {
  const fakeReq = { method: "PUT", url: "/", headers: {} } as IncomingMessage;
  const misused = expectations as unknown as Guard;

  test("is explained at the first request, which goes nowhere", () => {
    let isHandedOn = false;
    const use = () =>
      misused(fakeReq, {} as never, () => {
        isHandedOn = true;
      });
    const { code, message } = thrownBy(use);
    expect(code).toBe("ERR_EXPECT_OPTION");
    expect(message).toContain("app.use(expectations()), not app.use(expectations)");
    expect(isHandedOn).toBe(false);
  });
});

describe("a factory that is passed without being called is refused at construction", () => {
  const USAGES: [factory: { readonly name: string }, usage: string][] = [
    [maxSize, 'maxSize("10mb")'],
    [minRate, "minRate(500)"],
    [knownLength, "knownLength()"],
    [mediaTypes, 'mediaTypes(["image/*"])'],
    [authorize, 'authorize(verify, { challenge: "Bearer" })'],
    [preconditions, "preconditions(lookup)"],
    [quota, "quota({ limiter, key })"],
    [concurrency, "concurrency({ limit: 50 })"],
    [allOf, "allOf(policy, other)"],
    [anyOf, "anyOf(policy, other)"],
    [when, "when(predicate, policy)"],
    [refuse, "() => refuse(403)"],
    [expectations, "expectations({ policies: […] })"],
  ];
  /** Everything that takes policies or a guard, and how its messages name the place. */
  const PLACES: [place: string, use: (given: never) => unknown][] = [
    ["policies[1]", (given) => expectations({ policies: [policy, given] })],
    ['extensions["tea"]', (given) => expectations({ extensions: { tea: given } })],
    ["policies[0]", (given) => admission({ trustProxy: "loopback", policies: [given] })],
    ["allOf", (given) => allOf(policy, given)],
    ["anyOf", (given) => anyOf(given, policy)],
    ["when(predicate, policy): predicate", (given) => when(given, policy)],
    ["when(predicate, policy): policy", (given) => when(policy, given)],
    ["attach({ guard })", (given) => attach(createServer(), { guard: given })],
  ];

  describe.each(PLACES)("by %s", (place, use) => {
    test.each(USAGES)("%p, with a message that says what to write", (given, usage) => {
      const { code, message } = thrownBy(() => use(given as never));
      expect(code).toBe("ERR_EXPECT_OPTION");
      expect(message).toBe(`${place}: ${given.name} was passed without being called: write ${usage}`);
    });

    test("also when it is of another copy of the package", () => {
      const other = Object.assign(() => policy, { [Symbol.for("express-expectations:factory:1")]: "other(1)" });
      expect(thrownBy(() => use(other as never)).message).toContain("without being called: write other(1)");
    });
  });

  test.each(PLACES.filter(([place]) => !place.startsWith("attach")))("and so is a refusal, by %s", (place, use) => {
    const { code, message } = thrownBy(() => use(refuse(413) as never));
    expect(code).toBe("ERR_EXPECT_OPTION");
    expect(message).toBe(`${place}: received a refusal, which is no policy: write () => refuse(413)`);
  });

  test("what they return is taken", () => {
    expect(() =>
      expectations({ policies: [maxSize(1), allOf(knownLength()), when(policy, anyOf(policy))] }),
    ).not.toThrow();
    expect(() => attach(createServer(), { guard: expectations() })).not.toThrow();
  });
});

describe("attach and detach take servers alone", () => {
  test.each<[what: string, make: () => unknown]>([
    ["nothing", () => undefined],
    ["null", () => null],
    ["a port", () => 3000],
    ["text", () => "http://localhost"],
    ["a plain object", () => ({})],
    ["a request handler", () => () => {}],
    ["an Express application, which is a function with on() and emit()", () => express()],
    ["a Connect application", () => connect()],
    ["an emitter that is no server", () => new EventEmitter()],
    ["a server of node:net, which knows no requests", () => createNetServer()],
  ])("not %s", (_what, make) => {
    for (const call of [attach, detach]) {
      const { code, message } = thrownBy(() => call(make() as never));
      expect(code).toBe("ERR_EXPECT_OPTION");
      expect(message).toMatch(/(?:attach|detach)\(server\): received .*; expected a server of node:http/);
    }
  });

  test("and the message about an application says what to pass instead", () => {
    expect(thrownBy(() => attach((() => {}) as never)).message).toContain("pass what app.listen() returns");
    expect(thrownBy(() => attach(express() as never)).message).toContain("pass what app.listen() returns");
  });

  test("attach returns the server, and checks the options of one that is attached already", () => {
    const server = createServer();
    expect(attach(server)).toBe(server);
    expect(attach(server)).toBe(server);
    expect(thrownBy(() => attach(server, { lingerMs: 0 })).code).toBe("ERR_EXPECT_OPTION");
    expect(detach(server)).toBe(server);
  });

  test("a wrong option leaves the server as it was", () => {
    const server = createServer();
    thrownBy(() => attach(server, { bodyTimeoutMs: 0 }));
    expect(Object.hasOwn(server, "emit")).toBe(false);
    expect(server.listenerCount("checkContinue")).toBe(0);
  });

  test("a listener that is there already is an error with a way out", () => {
    const server = createServer();
    const listener = () => {};
    server.on("checkContinue", listener);
    const { code, message } = thrownBy(() => attach(server));
    expect(code).toBe("ERR_EXPECT_LISTENERS");
    expect(message).toMatch(/checkContinue.*replaceListeners: true/);
    attach(server, { replaceListeners: true });
    expect(server.listeners("checkContinue")).not.toContain(listener);
    detach(server);
    expect(server.listeners("checkContinue")).toEqual([listener]);
  });
});

describe("the caller's options", () => {
  function deepFreeze<T extends object>(value: T): T {
    for (const inner of Object.values(value)) if (typeof inner === "object" && inner) deepFreeze(inner);
    return Object.freeze(value);
  }

  test("are left as they are, frozen ones too", () => {
    const options = {
      policies: [policy, maxSize(1)],
      logger: { ...silent },
      autoAttach: false,
      continueTiming: "onRead" as const,
      applyTo: "uploads" as const,
      extensions: { "Size-Class": policy },
      unknownExpectations: "refuse" as const,
      policyTimeoutMs: 5,
      expectationStatus: 417,
      refusalBody: "auto" as const,
    };
    const before = { ...options, policies: [...options.policies], extensions: { ...options.extensions } };
    expectations(deepFreeze(options));
    expect(options).toEqual(before);

    const attachOptions = { logger: { ...silent }, extensions: ["Size-Class"], lingerMs: 5, replaceListeners: false };
    const attachBefore = { ...attachOptions, extensions: [...attachOptions.extensions] };
    attach(createServer(), deepFreeze(attachOptions));
    expect(attachOptions).toEqual(attachBefore);
  });

  test("are read once: a policy that is added later changes nothing", () => {
    const policies = [() => true];
    const guard = expectations({ policies, autoAttach: false, logger: silent });
    let isAsked = false;
    policies.push(() => {
      isAsked = true;
      return false;
    });
    let isHandedOn = false;
    const req = new EventEmitter();
    Object.assign(req, {
      method: "PUT",
      url: "/",
      headers: {},
      rawHeaders: [],
      httpVersionMajor: 1,
      httpVersionMinor: 1,
    });
    const res = Object.assign(new EventEmitter(), { destroyed: false });
    guard(req as never, res as never, () => {
      isHandedOn = true;
    });
    expect({ isAsked, isHandedOn }).toEqual({ isAsked: false, isHandedOn: true });
  });

  test("a guard among policies is explained when it is asked", () => {
    const { code, message } = thrownBy(() => (expectations() as unknown as Policy)({} as never, {} as never));
    expect(code).toBe("ERR_EXPECT_OPTION");
    expect(message).toContain("it is a middleware and no policy");
  });

  test("the middleware carries a name for Express's stack", () => {
    expect(expectations().name).toBe("expectationGuard");
  });
});

describe("the factories of policies check what they get", () => {
  test.each<[what: string, call: () => unknown, message: RegExp]>([
    ["maxSize without a limit", () => maxSize(undefined as never), /^maxSize\(limit\): received undefined; expected /],
    ["maxSize of nothing", () => maxSize(0), /^maxSize\(limit\): received 0; expected a positive/],
    [
      "mediaTypes of text",
      () => mediaTypes("image/*" as never),
      /^mediaTypes\(types\): received "image\/\*"; expected/,
    ],
    ["mediaTypes of nothing", () => mediaTypes([]), /^mediaTypes\(types\): received an array; expected a list/],
    ["mediaTypes with a hole", () => mediaTypes(new Array(1)), /^mediaTypes\(types\)\[0\]: received undefined/],
    ["authorize without a check", () => authorize(undefined as never, { challenge: "Bearer" }), /^authorize\(verify\)/],
    [
      "authorize with text",
      () => authorize("x" as never, { challenge: "Bearer" }),
      /^authorize\(verify\): received "x"/,
    ],
    [
      "authorize without options",
      () => authorize(policy, undefined as never),
      /^authorize\(options\): received undefined/,
    ],
    ["authorize with a wrong key", () => authorize(policy, { chalenge: "x" } as never), /did you mean challenge\?$/],
    [
      "refuse with text for a reason",
      () => refuse(413, "too big" as never),
      /^refuse\(options\): received "too big"; expected an object/,
    ],
    [
      "refuse with an unknown key",
      () => refuse(413, { message: "too big" } as never),
      /^refuse\(options\): unknown option "message"; expected one of reason, headers, body, problem$/,
    ],
    [
      "concurrency with an unknown key",
      () => concurrency({ max: 5 } as never),
      /^concurrency\(options\): unknown option "max"; expected one of limit, key, total, maxWaiting, maxWaitMs, retryAfterSeconds, name, semaphore, leaseMs, storeTimeoutMs, onStoreError$/,
    ],
    [
      "refuse without a status",
      () => refuse(undefined as never),
      /^refuse\(status\): received undefined; expected a final/,
    ],
  ])("%s", (_what, call, message) => {
    const error = thrownBy(call);
    expect(error.code).toBe("ERR_EXPECT_OPTION");
    expect(error.message).toMatch(message);
  });

  test.each([
    "*/png",
    "image",
    "image/",
    "/png",
    "image/*; q=1",
    "image/png, x/y",
    "",
    "+",
    "a b/c",
    "ima\u212ae/x",
    1,
    null,
  ])("mediaTypes takes no %p", (type) => {
    const error = thrownBy(() => mediaTypes(["image/png", type as string]));
    expect(error.code).toBe("ERR_EXPECT_OPTION");
    expect(error.message).toContain(`mediaTypes(types)[1]: received ${JSON.stringify(type)}; expected "type/subtype"`);
  });

  test.each([undefined, "", " ", "Bearer\r\nX: y", "Bearer \u00e9", 'realm="x"', 401])(
    "authorize takes no challenge %p",
    (challenge) => {
      const error = thrownBy(() => authorize(policy, { challenge: challenge as string }));
      expect(error.code).toBe("ERR_EXPECT_OPTION");
      expect(error.message).toMatch(
        /^authorize\(\{ challenge \}\): received .*; expected a challenge, such as "Bearer"/,
      );
    },
  );
});
