import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "@jest/globals";
import {
  allOf,
  anyOf,
  concurrency,
  diskSpace,
  ExpectationError,
  knownLength,
  maxSize,
  silent,
  when,
} from "../../../src/index.js";
import { type AdmissionOptions, admission } from "../../../src/proxies/admission.js";
import { type OriginalRequest, readOriginal } from "../../../src/proxies/admission-request.js";
import * as fc from "../../helpers/properties.js";

type Fields = readonly (readonly [name: string, value: string])[];

/** The question of a proxy at 127.0.0.1. */
function asking(fields: Fields): IncomingMessage {
  const headers: Record<string, string> = {};
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`;
  }
  const socket = { remoteAddress: "127.0.0.1" };
  return { rawHeaders: fields.flat(), headers, socket, httpVersionMajor: 1, method: "GET", url: "/ask" } as never;
}

const PUT: Fields = [
  ["X-Original-Method", "PUT"],
  ["X-Original-URI", "/a"],
];
const without = (name: string) => PUT.filter(([field]) => field !== name);
const trustsLoopback = (address: string) => address === "127.0.0.1";
const read = (fields: Fields) => readOriginal(asking(fields), trustsLoopback);

function readOk(fields: Fields): OriginalRequest {
  const original = read(fields);
  if (typeof original === "string") throw new Error(original);
  return original;
}

describe("readOriginal", () => {
  const FAULTS: [what: string, fields: Fields, fault: RegExp][] = [
    ["no method", without("X-Original-Method"), /X-Original-Method/],
    ["an empty method", [["X-Original-Method", ""], ...without("X-Original-Method")], /X-Original-Method/],
    [
      "a method that is no token",
      [["X-Original-Method", "P UT"], ...without("X-Original-Method")],
      /X-Original-Method/,
    ],
    ["no target", without("X-Original-URI"), /X-Original-URI/],
    ["a target that is none", [["X-Original-URI", "a"], ...without("X-Original-URI")], /X-Original-URI/],
    ["a target with a space", [["X-Original-URI", "/a b"], ...without("X-Original-URI")], /X-Original-URI/],
    ["a target behind an asterisk", [["X-Original-URI", "*/a"], ...without("X-Original-URI")], /X-Original-URI/],
    [
      "a scheme that is none of the web's",
      [["X-Original-URI", "file:///a"], ...without("X-Original-URI")],
      /X-Original-URI/,
    ],
    ...[
      ["a scheme alone", "http://"],
      ["no authority", "http:///a"],
      ["no authority, but a query", "http://?a"],
      ["user information", "http://user@a.example/b"],
      ["a fragment", "/a#b"],
      ["a fragment in absolute form", "http://a.example#/b"],
      ["a fragment in absolute form behind a path", "http://a.example/#b"],
      ["a backslash in its authority", "http://a.example\\b"],
      ["an authority that is none", "http://a,b/"],
      ["an authority alone", "a.example:80"],
      ["a line break", "/a\nb"],
    ].map(([what, uri]): [string, Fields, RegExp] => [
      `a target with ${what}`,
      [["X-Original-URI", uri as string], ...without("X-Original-URI")],
      /X-Original-URI/,
    ]),
    ["a length that is none", [...PUT, ["X-Upload-Length", "many"]], /X-Upload-Length/],
    ["a negative length", [...PUT, ["X-Upload-Length", "-1"]], /X-Upload-Length/],
    ["a length with a sign", [...PUT, ["X-Upload-Length", "+1"]], /X-Upload-Length/],
    ["a length in hexadecimal", [...PUT, ["X-Upload-Length", "0x10"]], /X-Upload-Length/],
    ["a length with a fraction", [...PUT, ["X-Upload-Length", "1.5"]], /X-Upload-Length/],
    ["a list of lengths", [...PUT, ["X-Upload-Length", "5, 5"]], /X-Upload-Length/],
    ["a length beyond any content", [...PUT, ["X-Upload-Length", "9007199254740993"]], /X-Upload-Length/],
    [
      "a length beside a transfer coding",
      [...PUT, ["X-Upload-Length", "5"], ["X-Original-Transfer-Encoding", "chunked"]],
      /beside/,
    ],
    ["another transfer coding", [...PUT, ["X-Original-Transfer-Encoding", "gzip, chunked"]], /transfer coding/],
    ["a scheme that is none", [...PUT, ["X-Forwarded-Proto", "ftp"]], /X-Forwarded-Proto/],
    ["a host that is none", [...PUT, ["X-Forwarded-Host", "a, b"]], /X-Forwarded-Host/],
    ["an address that is none", [...PUT, ["X-Forwarded-For", "unknown"]], /X-Forwarded-For/],
    ["content of its own", [...PUT, ["Content-Length", "5"]], /content of its own/],
    ["chunked content of its own", [...PUT, ["Transfer-Encoding", "chunked"]], /content of its own/],
  ];

  test.each(FAULTS)("refuses %s", (_what, fields, fault) => {
    expect(read(fields)).toEqual(expect.stringMatching(fault));
  });

  test.each([
    ["X-Original-Method", "PUT"],
    ["X-Original-URI", "/a"],
    ["X-Upload-Length", "5"],
    ["X-Original-Transfer-Encoding", "chunked"],
    ["X-Original-Expect", "100-continue"],
    ["X-Forwarded-For", "192.0.2.1"],
    ["X-Forwarded-Host", "a"],
    ["X-Forwarded-Proto", "http"],
  ] as const)("refuses a repeated %s, also of the same value", (name, value) => {
    const fields: Fields = [...without(name), [name, value], [name.toLowerCase(), value]];
    expect(read(fields)).toBe(`more than one ${name.toLowerCase()}`);
  });

  const LENGTHS: [what: string, fields: Fields, length: number | undefined][] = [
    ["a declared length", [...PUT, ["X-Upload-Length", "5"]], 5],
    ["a length of 0", [...PUT, ["X-Upload-Length", "0"]], 0],
    ["an unsafe method without a length", PUT, undefined],
    ["an unsafe method with an empty length", [...PUT, ["X-Upload-Length", ""]], undefined],
    [
      "an unknown method",
      [
        ["X-Original-Method", "BREW"],
        ["X-Original-URI", "/"],
      ],
      undefined,
    ],
    ["chunked content", [...PUT, ["X-Original-Transfer-Encoding", "Chunked"]], undefined],
    [
      "chunked content of a safe method",
      [
        ["X-Original-Method", "GET"],
        ["X-Original-URI", "/"],
        ["X-Original-Transfer-Encoding", "chunked"],
      ],
      undefined,
    ],
    [
      "a safe method without a length, as HTTP/2 may have content",
      [
        ["X-Original-Method", "GET"],
        ["X-Original-URI", "*"],
      ],
      undefined,
    ],
    [
      "a safe method with an empty length",
      [
        ["X-Original-Method", "GET"],
        ["X-Original-URI", "/"],
        ["X-Upload-Length", ""],
        ["X-Original-Transfer-Encoding", ""],
      ],
      undefined,
    ],
    [
      "a safe method with a length of 0",
      [
        ["X-Original-Method", "GET"],
        ["X-Original-URI", "/"],
        ["X-Upload-Length", "0"],
      ],
      0,
    ],
    [
      "a safe method with a length",
      [
        ["X-Original-Method", "GET"],
        ["X-Original-URI", "/"],
        ["X-Upload-Length", "7"],
      ],
      7,
    ],
    [
      "a method in lower case, which is another one",
      [
        ["X-Original-Method", "get"],
        ["X-Original-URI", "/"],
      ],
      undefined,
    ],
  ];

  test.each(LENGTHS)("takes %s for what it is", (_what, fields, length) => {
    const { req, length: told } = readOk(fields);
    expect(told).toBe(length);
    // The fields say the same.
    expect(req.headers["transfer-encoding"]).toBe(length === undefined ? "chunked" : undefined);
    if (length) expect(req.headers["content-length"]).toBe(String(length));
    else if (length === undefined) expect(req.headers["content-length"]).toBeUndefined();
  });

  test("shows the request that the client sent, and nothing of the asking", () => {
    const { req, expectations } = readOk([
      ["Host", "admission"],
      ["Connection", "keep-alive"],
      ["Content-Length", "0"],
      ["TE", "trailers"],
      ["Expect", "asked"],
      ["X-Original-Method", "POST"],
      ["X-Original-URI", "/photos?size=1"],
      ["X-Upload-Length", "7"],
      ["X-Original-Transfer-Encoding", ""],
      ["X-Original-Expect", "100-continue, a=1"],
      ["X-Forwarded-For", "198.51.100.7, 192.0.2.1"],
      ["X-Forwarded-Host", "photos.example:8443"],
      ["X-Forwarded-Proto", "https"],
      ["X-Forwarded-Method", "POST"],
      ["X-Forwarded-Uri", "/photos?size=1"],
      ["Authorization", "Bearer 1"],
      ["Content-Type", "image/png"],
    ]);
    expect(req).toMatchObject({
      method: "POST",
      url: "/photos?size=1",
      originalUrl: "/photos?size=1",
      httpVersion: "1.1",
      // The last one that no trusted proxy vouches for.
      ip: "192.0.2.1",
      protocol: "https",
      socket: { remoteAddress: "192.0.2.1", encrypted: true },
    });
    expect(req.headers).toEqual({
      host: "photos.example:8443",
      "content-length": "7",
      expect: "100-continue, a=1",
      "x-forwarded-for": "198.51.100.7, 192.0.2.1",
      "x-forwarded-host": "photos.example:8443",
      "x-forwarded-proto": "https",
      authorization: "Bearer 1",
      "content-type": "image/png",
    });
    const raw = req.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
    expect(raw.sort()).toEqual(Object.keys(req.headers).sort());
    expect(req.get("Content-Type")).toBe("image/png");
    expect(req.get("X-Upload-Length")).toBeUndefined();
    expect(expectations.map(({ name }) => name)).toEqual(["100-continue", "a"]);
  });

  test.each([
    ["/secret/1", "/secret/1", "asked.example"],
    ["//secret/1", "//secret/1", "asked.example"],
    ["/http://a/b", "/http://a/b", "asked.example"],
    ["*", "*", "asked.example"],
    ["?b=1", "/?b=1", "asked.example"],
    ["http://a.example/secret/1?b=/", "/secret/1?b=/", "a.example"],
    ["HTTPS://a.example:8443//b", "//b", "a.example:8443"],
    ["http://a.example", "/", "a.example"],
    ["http://a.example?b=http://c", "/?b=http://c", "a.example"],
    ["http://[::1]:80/b", "/b", "[::1]:80"],
  ])("shows policies the target %s as %s at %s", (uri, url, host) => {
    const fields: Fields = [
      ...without("X-Original-URI"),
      ["X-Original-URI", uri],
      ["Host", "proxy.example"],
      ["X-Forwarded-Host", "asked.example"],
    ];
    const { req } = readOk(fields);
    expect(req).toMatchObject({ url, originalUrl: url, headers: { host, "x-forwarded-host": host } });
    expect(req.rawHeaders.filter((text) => text.endsWith(".example") && text !== host)).toEqual([]);
  });

  test("knows the client by the asking's own connection where nobody tells", () => {
    expect(readOk(PUT).req).toMatchObject({ ip: "127.0.0.1", protocol: "http" });
    expect(readOk([...PUT, ["Host", "a.example"]]).req.headers.host).toBe("a.example");
  });

  test("never throws, shows origin form alone, and takes no request without a length for one without content", () => {
    const text = fc.string({ unit: "binary", maxLength: 12 });
    const name = fc.constantFrom(
      "X-Original-Method",
      "X-Original-URI",
      "X-Upload-Length",
      "X-Original-Transfer-Encoding",
      "X-Original-Expect",
      "X-Forwarded-For",
      "X-Forwarded-Host",
      "X-Forwarded-Proto",
      "Host",
    );
    void fc.assert(
      fc.property(fc.array(fc.tuple(name, text)), fc.boolean(), (fields, isPut) => {
        const original = read(
          isPut ? [...PUT, ...fields.filter(([field]) => !field.startsWith("X-Original-M"))] : fields,
        );
        if (typeof original === "string") return;
        const told = fields.some(([field, value]) => field === "X-Upload-Length" && value !== "");
        if (!told) expect(original.length).toBeUndefined();
        expect(original.req.url).toMatch(/^(?:\/|\*$)/);
      }),
    );
  });
});

describe("admission({ … })", () => {
  const make = (options: unknown) => () => admission(options as AdmissionOptions);

  test.each([
    ["no options", undefined, /expected an object/],
    ["no trustProxy", {}, /trustProxy: received undefined/],
    ["an empty trustProxy", { trustProxy: "" }, /trustProxy/],
    ["a trustProxy that names nobody", { trustProxy: [] }, /trustProxy/],
    ["a number of hops", { trustProxy: 1 }, /trustProxy: received 1/],
    ["everybody", { trustProxy: true }, /trustProxy: received true/],
    ["an address that is none", { trustProxy: "300.0.0.1" }, /trustProxy: invalid IP address/],
    ["an unknown option", { trustProxy: "loopback", polices: [] }, /did you mean policies\?/],
    ["a policy that is none", { trustProxy: "loopback", policies: [1] }, /policies\[0\]/],
    ["policies that are no list", { trustProxy: "loopback", policies: maxSize("1mb") }, /policies/],
    [
      "a policy of the origin's own",
      { trustProxy: "loopback", policies: [function concurrency() {}] },
      /origin's guard/,
    ],
    [
      "disk space, which nobody would give back",
      { trustProxy: "loopback", policies: [diskSpace({ path: "/", keepFree: 0 })] },
      /^policies\[0\]: .*origin's guard/,
    ],
    [
      "such a policy inside of others",
      {
        trustProxy: "loopback",
        policies: [knownLength(), allOf(anyOf(when(() => true, concurrency({ limit: 2 }))), maxSize("1mb"))],
      },
      /^policies\[1\]: .*origin's guard/,
    ],
    ["an unknown way to answer", { trustProxy: "loopback", statuses: "haproxy" }, /statuses/],
    ["a time that is none", { trustProxy: "loopback", policyTimeoutMs: 0 }, /policyTimeoutMs/],
    ["what becomes of the unknown", { trustProxy: "loopback", unknownExpectations: "accept" }, /unknownExpectations/],
    ["a logger that is none", { trustProxy: "loopback", logger: {} }, /logger/],
  ])("refuses %s", (_what, options, message) => {
    expect(make(options)).toThrow(ExpectationError);
    expect(make(options)).toThrow(message);
    expect(make(options)).toThrow(expect.objectContaining({ code: "ERR_EXPECT_OPTION" }));
  });

  test("is named in stacks", () => {
    expect(admission({ trustProxy: ["loopback", "10.0.0.0/8"], logger: silent }).name).toBe("admissionEndpoint");
  });
});
