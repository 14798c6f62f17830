import * as http from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import express from "express";
import { RateLimiterMemory } from "rate-limiter-flexible";
import {
  allOf,
  anyOf,
  attach,
  authorize,
  concurrency,
  digestsOf,
  diskSpace,
  expectations,
  maxSize,
  mediaTypes,
  overload,
  type Policy,
  preconditions,
  preflight,
  quota,
  refuse,
  silent,
  when,
} from "../../src/index.js";
import { run, testUnless, whyMissing } from "../helpers/clients.js";
import { closeServers, type Handler, listen, store } from "../helpers/servers.js";

const METHODS = ["PUT", "POST", "PATCH"] as const;
const CONTENT = "x".repeat(100);
const SHA_256 = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";

type Fields = Readonly<Record<string, string>>;

/** One policy, an upload that it accepts and one that it refuses; both of {@link CONTENT}. */
interface Row {
  readonly name: string;
  readonly accepting: Policy;
  readonly refusing: Policy;
  /** Fields of the upload that is accepted, and of the one that is refused. */
  readonly accepted?: Fields;
  readonly refused?: Fields;
  /** The status of the refusal, if it depends on the method as preconditions do. */
  readonly status: number | Partial<Record<(typeof METHODS)[number], number>>;
}

const same = (policy: Policy) => ({ accepting: policy, refusing: policy });
const key = () => "all";
const budget = (points: number) => new RateLimiterMemory({ points, duration: 60 });
const signedIn = authorize(
  (req) => (req.headers.authorization === "Bearer no" ? "forbidden" : "authorization" in req.headers),
  {
    challenge: "Bearer",
  },
);
const known = preconditions(() => ({ etag: '"a"' }));

/** A place that is taken for good, so that a policy without another one refuses. */
function full(): Policy {
  const policy = concurrency({ limit: 1 });
  void policy({} as never, { length: 1, isPreflight: false, onClose() {} } as never);
  return policy;
}

const TABLE: readonly Row[] = [
  { name: "maxSize", accepting: maxSize(100), refusing: maxSize(99), status: 413 },
  {
    name: "mediaTypes",
    ...same(mediaTypes(["image/*"])),
    accepted: { "Content-Type": "image/png" },
    refused: { "Content-Type": "text/html" },
    status: 415,
  },
  { name: "authorize, 401", ...same(signedIn), accepted: { Authorization: "Bearer yes" }, status: 401 },
  {
    name: "authorize, 403",
    ...same(signedIn),
    accepted: { Authorization: "Bearer yes" },
    refused: { Authorization: "Bearer no" },
    status: 403,
  },
  {
    name: "preconditions",
    ...same(known),
    accepted: { "If-Match": '"a"' },
    refused: { "If-None-Match": "*" },
    status: { PUT: 412, PATCH: 412 },
  },
  {
    name: "preconditions, malformed",
    ...same(known),
    refused: { "If-Match": "a" },
    status: { PUT: 400, PATCH: 400 },
  },
  {
    name: "quota in bytes",
    accepting: quota({ limiter: budget(100_000), key }),
    refusing: quota({ limiter: budget(99), key }),
    status: 429,
  },
  {
    name: "quota in requests",
    accepting: quota({ limiter: budget(1_000), key, cost: "requests" }),
    refusing: quota({ limiter: budget(0), key, cost: "requests" }),
    status: 429,
  },
  {
    name: "diskSpace",
    accepting: diskSpace({ path: __dirname, keepFree: 0 }),
    refusing: diskSpace({ path: __dirname, keepFree: Number.MAX_SAFE_INTEGER }),
    status: 507,
  },
  {
    name: "overload",
    accepting: overload({ isOverloaded: () => false }),
    refusing: overload({ isOverloaded: () => true }),
    status: 503,
  },
  { name: "concurrency", accepting: concurrency({ limit: 1 }), refusing: full(), status: 503 },
  {
    name: "a digest that is stored already",
    ...same((req) => (digestsOf(req, "Repr-Digest")["sha-256"] === undefined ? true : refuse(409))),
    refused: { "Repr-Digest": SHA_256 },
    status: 409,
  },
  { name: "false", accepting: () => true, refusing: () => false, status: 403 },
  { name: "a promise", accepting: async () => true, refusing: async () => refuse(507), status: 507 },
  { name: "a fault", accepting: () => true, refusing: () => Promise.reject(new Error("broken")), status: 500 },
  {
    name: "allOf",
    ...same(allOf(maxSize(100), mediaTypes(["image/*"]))),
    accepted: { "Content-Type": "image/png" },
    status: 415,
  },
  { name: "anyOf", ...same(anyOf(signedIn, maxSize(99))), accepted: { Authorization: "Bearer yes" }, status: 413 },
  {
    name: "when",
    ...same(when((req) => req.headers["x-trusted"] === undefined, maxSize(99))),
    accepted: { "X-Trusted": "1" },
    status: 413,
  },
];

interface Case {
  readonly name: string;
  readonly path: string;
  readonly method: string;
  readonly fields: Fields;
  /** 201 is what the application answers. */
  readonly status: number;
}

const CASES: readonly Case[] = TABLE.flatMap((row, i) =>
  METHODS.flatMap((method) => {
    const refusedWith = typeof row.status === "number" ? row.status : (row.status[method] ?? 201);
    return [
      {
        name: `${row.name} accepts ${method}`,
        path: `/${i}/accepting`,
        method,
        fields: row.accepted ?? {},
        status: 201,
      },
      {
        name: `${row.name}: ${refusedWith} for ${method}`,
        path: `/${i}/refusing`,
        method,
        fields: row.refused ?? {},
        status: refusedWith,
      },
    ];
  }),
);

let port: number;

beforeAll(async () => {
  const app = express();
  for (const [i, row] of TABLE.entries()) {
    for (const way of ["accepting", "refusing"] as const) {
      const guard = expectations({ logger: silent, policies: [row[way]] });
      app.options(`/${i}/${way}`, preflight(guard, { method: METHODS }));
      app.all(`/${i}/${way}`, guard, store as Handler);
    }
  }
  ({ port } = await listen(attach(http.createServer(app), { logger: silent })));
});
afterAll(closeServers);

interface Answer {
  readonly status: number;
  readonly verdict: string | undefined;
  readonly body: string;
}

function send(method: string, path: string, headers: Fields, content?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = http.request({ port, host: "127.0.0.1", method, path, headers, agent: false }, (res) => {
      let body = "";
      res.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      res.on("end", () => {
        const { statusCode = 0, headers: fields } = res;
        resolve({ status: statusCode, verdict: fields["upload-verdict"] as string | undefined, body });
      });
    });
    req.on("error", reject);
    req.end(content);
  });
}

const questionOf = ({ method, fields }: Case): Fields => ({
  ...fields,
  "Upload-Method": method,
  "Upload-Length": String(CONTENT.length),
});

describe("a question gets the verdict of the upload", () => {
  test.each(CASES)("$name", async (each) => {
    const { path, method, fields, status } = each;
    const asked = await send("OPTIONS", path, questionOf(each));
    const uploaded = await send(method, path, { ...fields, "Content-Length": String(CONTENT.length) }, CONTENT);
    expect(uploaded.status).toBe(status);
    if (status === 201) expect(asked).toEqual({ status: 204, verdict: "accept", body: "" });
    else expect(asked).toEqual({ status, verdict: "refuse", body: uploaded.body });
  });

  test("in a table of 60 cases or more", () => {
    expect(CASES.length).toBeGreaterThanOrEqual(60);
  });

  testUnless(whyMissing("curl", "--version"))("from curl, too", async () => {
    const separated = CASES.flatMap((each, i) => {
      const headers = Object.entries(questionOf(each)).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
      const write = ["-o", "/dev/null", "-w", "%{http_code} %header{upload-verdict}\\n"];
      return [
        ...(i === 0 ? [] : ["--next"]),
        "-s",
        "-X",
        "OPTIONS",
        ...headers,
        ...write,
        `http://127.0.0.1:${port}${each.path}`,
      ];
    });
    const { stdout } = await run("curl", separated);
    const expected = CASES.map(({ status }) => (status === 201 ? "204 accept" : `${status} refuse`));
    expect(stdout.trim().split("\n")).toEqual(expected);
  });
});
