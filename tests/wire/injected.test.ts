import * as http from "node:http";
import { describe, expect, test } from "@jest/globals";
import express from "express";
import express4 from "express4";
import {
  attach,
  concurrency,
  type ExpectationOptions,
  expectations,
  handshakeOf,
  maxSize,
  type Policy,
  refuse,
  silent,
  type UploadEnd,
} from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { type InjectedRequest, type Injector, mocks, STREAM_INJECTORS, type Target } from "../helpers/injectors.js";
import { type AppParts, type Handler, plainApp, recordingLogger, store } from "../helpers/servers.js";
import { until } from "../helpers/until.js";

expectNothingDeadly();

/** How a guard gets in front of an application; without one, the bare application. */
const WAYS: Record<string, (parts: AppParts, guard?: Handler) => Target> = {
  "as a middleware of Express 4": (parts, guard) => expressApp(express4, parts, guard),
  "as a middleware of Express 5": (parts, guard) => expressApp(express, parts, guard),
  "by attach(server, { guard })": (parts, guard) => {
    const server = http.createServer(plainApp(parts));
    return guard ? attach(server, { guard, logger: silent }) : server;
  },
};

function expressApp(make: typeof express, { routes }: AppParts, guard?: Handler): Target {
  const app = make();
  app.set("env", "test");
  if (guard) app.use(guard as express.RequestHandler);
  for (const [path, handler] of Object.entries(routes ?? {})) app.all(path, handler as express.RequestHandler);
  return app as unknown as Target;
}

const UPLOAD: InjectedRequest = { url: "/files", body: "hello" };
const CHUNKED = { headers: { "Transfer-Encoding": "chunked" } };
const EXPECT = { headers: { Expect: "100-continue" } };
const soon = () => new Promise<void>((resolve) => setImmediate(resolve));

/** One exchange, and everything that was told about it. */
async function exchange(inject: Injector, target: Target, request: Partial<InjectedRequest> | undefined) {
  const settled = inject(target, { ...UPLOAD, ...request }).catch((error: Error) => error);
  const deadline = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error("the exchange did not settle")), 5_000).unref();
  });
  const answer = await Promise.race([settled, deadline]);
  if (answer instanceof Error) return answer;
  const { date: _, ...headers } = answer.headers;
  return { ...answer, headers };
}

const answers = (status: number, text: string): Handler => {
  return (_req, res) => {
    res.statusCode = status;
    res.end(text);
  };
};

const echo: Handler = (req, res) => {
  req.pipe(res);
};

/** Responds before it has read the content, and ends the response whatever happens to the content. */
const begin: Handler = (req, res) => {
  res.write("begun ");
  req.on("data", (chunk) => res.write(chunk));
  for (const event of ["end", "error"]) req.on(event, () => res.end());
};

const raw = express.raw({ type: () => true });
const parse: Handler = (req, res, next) => {
  raw(req as express.Request, res as express.Response, (error) => {
    if (error) next(error);
    else res.end(`parsed ${(req as express.Request).body.length}`);
  });
};

type Policies = readonly Policy[];

const ACCEPTED: [what: string, policies: Policies, handler: Handler, request?: Partial<InjectedRequest>][] = [
  ["content that is read", [maxSize(10)], store],
  ["a mebibyte", [maxSize("1mb")], store, { body: "x".repeat(2 ** 20) }],
  ["content of unknown length", [maxSize(10)], store, CHUNKED],
  ["content that a parser reads", [maxSize(10)], parse],
  ["content that is piped back", [maxSize(10)], echo],
  ["a response that begins before the content is read", [maxSize(10)], begin],
  ["a verdict that comes later", [async () => soon().then(() => true)], store],
  ["a route that does not exist", [maxSize(10)], store, { url: "/other" }],
  ["a response before the content is read", [maxSize(10)], answers(422, "early")],
  ["an application that passes an error on", [maxSize(10)], (_req, _res, next) => next(new Error("no"))],
  ["Expect: 100-continue", [maxSize(10)], store, EXPECT],
  ["a GET", [maxSize(10)], answers(200, "got"), { method: "GET", body: "" }],
];

const never: Policy = () => new Promise<never>(() => {});

const REFUSED: [what: string, status: number, policies: Policies, request?: Partial<InjectedRequest>][] = [
  ["at once", 413, [maxSize(3)]],
  ["at once, with Expect: 100-continue", 413, [maxSize(3)], EXPECT],
  ["by false", 403, [() => false]],
  ["by false, with Expect: 100-continue", 417, [() => false], EXPECT],
  ["later", 403, [async () => soon().then(() => refuse(403))]],
  ["in the middle of content of unknown length", 413, [maxSize(3)], CHUNKED],
  ["in the middle of content that is longer than declared", 413, [maxSize(3)], { headers: { "Content-Length": "1" } }],
  ["by a count of bytes, not of characters", 413, [maxSize(9)], { ...CHUNKED, body: "äöüßé" }],
];

const FAILED: [what: string, status: number, policies: Policies][] = [
  ["throws", 500, [fails]],
  ["rejects", 500, [async () => fails()]],
  ["does not answer", 503, [never]],
];

/** Rows of unequal length for `test.each`. */
function named<Row extends readonly [string, ...unknown[]]>(rows: readonly Row[]): [string, Row][] {
  return rows.map((row) => [row[0], row]);
}

function fails(): never {
  throw new Error("no");
}

describe.each(Object.entries(STREAM_INJECTORS))("%s", (_injector, inject) => {
  describe.each(Object.entries(WAYS))("%s", (_way, make) => {
    async function run(policies: Policies, handler: Handler, request?: Partial<InjectedRequest>) {
      const ends: UploadEnd[] = [];
      const watch: Policy = (_req, upload) => {
        upload.onClose((end) => void ends.push(end));
        return true;
      };
      const logger = recordingLogger();
      const guard = expectations({ logger, policyTimeoutMs: 50, policies: [watch, ...policies] }) as Handler;
      const answer = await exchange(inject, make({ routes: { "/files": handler } }, guard), request);
      return { answer, ends, levels: logger.records.map(({ level }) => level) };
    }

    async function expectEnd(ends: readonly UploadEnd[], end: Partial<UploadEnd>) {
      await until("onClose is called", () => ends.length > 0);
      await soon();
      expect(ends).toEqual([expect.objectContaining(end)]);
    }

    test.each(named(ACCEPTED))("responds to %s as without a guard", async (_, [, policies, handler, request]) => {
      const bare = await exchange(inject, make({ routes: { "/files": handler } }), request);
      const { answer, ends, levels } = await run(policies, handler, request);
      // Express shows the stack of an error, which tells of the guard.
      if ((bare as { status: number }).status === 500) expect(answer).toMatchObject({ status: 500 });
      else expect(answer).toEqual(bare);
      expect(levels).toEqual([]);
      if (request?.method === "GET") return;
      await expectEnd(ends, { isRefused: false, status: (bare as { status: number }).status });
    });

    test.each(named(REFUSED))("refuses %s", async (_, [, status, policies, request]) => {
      const { answer, ends, levels } = await run(policies, store, request);
      expect(answer).toMatchObject({ status, body: expect.stringContaining(`"status":${status}`) });
      expect((answer as { headers: object }).headers).not.toMatchObject({ connection: "close" });
      expect(levels).toEqual(["warn"]);
      await expectEnd(ends, { isRefused: true, status });
    });

    test.each(FAILED)("refuses when a policy %s", async (_how, status, policies) => {
      const { answer, ends, levels } = await run(policies, store);
      expect(answer).toMatchObject({ status });
      expect(levels).toEqual(["error"]);
      await expectEnd(ends, { isRefused: true, status });
    });

    test("refuses an expectation that nobody knows", async () => {
      const { answer } = await run([], store, { headers: { Expect: "size-class=small" } });
      expect(answer).toMatchObject({ status: 417 });
    });

    test("a reader gets an error in place of the end of refused content", async () => {
      const events: string[] = [];
      const read: Handler = (req) => {
        for (const event of ["data", "end", "error"]) req.on(event, () => events.push(event));
      };
      const { answer } = await run([maxSize(3)], read, { ...CHUNKED, body: "larger than three" });
      expect(answer).toMatchObject({ status: 413 });
      await until("the reader gets an error", () => events.includes("error"));
      await soon();
      expect(events.filter((event) => event !== "data")).toEqual(["error"]);
    });

    test("a reader without a listener for errors does not end the process", async () => {
      const { answer } = await run([maxSize(3)], (req) => void req.on("data", () => {}), CHUNKED);
      expect(answer).toMatchObject({ status: 413 });
    });

    test("half a response does not pass for a whole one", async () => {
      const { answer, ends } = await run([maxSize(3)], begin, { ...CHUNKED, body: "larger than three" });
      // An adapter may make a response of the error.
      if (!(answer instanceof Error)) expect(answer).toMatchObject({ status: 500, body: "" });
      await expectEnd(ends, { isRefused: true, status: undefined });
    });

    test("a response that was sent before the limit stands", async () => {
      const failures: unknown[] = [];
      const readOn: Handler = (req, res) => {
        res.once("finish", () =>
          req
            .on("error", (error) => failures.push(error))
            .resume()
            .on("data", () => {}),
        );
        res.end("early");
      };
      const { answer } = await run([maxSize(3)], readOn, { ...CHUNKED, body: "larger than three" });
      await until("the reader gets an error", () => failures.length > 0);
      expect(failures).toMatchObject([{ code: "ERR_EXPECT_LIMIT" }]);
      expect(answer).toMatchObject({ status: 200 });
    });
  });
});

describe.each([
  ["that emit nothing", true],
  ["that emit events", false],
])("node-mocks-http, with objects %s", (_name, isMute) => {
  function call(options: ExpectationOptions, request: Partial<InjectedRequest> = {}) {
    const ends: UploadEnd[] = [];
    const watch: Policy = (_req, upload) => {
      upload.onClose((end) => void ends.push(end));
      return true;
    };
    const guard = expectations({ logger: silent, ...options, policies: [watch, ...(options.policies ?? [])] });
    const headers = { "Content-Length": "5", ...request.headers };
    const { req, res } = mocks({ ...UPLOAD, ...request, headers }, isMute);
    const passed = new Promise<void>((resolve) => {
      guard(req as never, res as never, () => resolve());
    });
    return { req, res, passed, ends };
  }

  test.each([
    ["at once", [maxSize(10)]],
    ["later", [async () => soon().then(() => true)]],
  ] as [string, Policies][])("accepts %s, and calls onClose behind the response", async (_how, policies) => {
    const { res, passed, ends } = call({ policies });
    await passed;
    expect(ends).toEqual([]);
    res.status(201).send("stored");
    await soon();
    expect(ends).toMatchObject([{ status: 201, isRefused: false }]);
    res.end();
    await soon();
    expect(ends).toHaveLength(1);
    expect(res._getData()).toBe("stored");
  });

  test.each([
    ["at once", 413, { policies: [maxSize(3)] }, {}],
    ["later", 403, { policies: [async () => soon().then(() => refuse(403))] }, {}],
    ["with Expect: 100-continue", 413, { policies: [maxSize(3)] }, EXPECT],
    ["when a policy throws", 500, { policies: [fails] }, {}],
    ["when a policy rejects", 500, { policies: [async () => fails()] }, {}],
    ["when a policy does not answer", 503, { policies: [never], policyTimeoutMs: 20 }, {}],
  ] as [string, number, ExpectationOptions, object][])("refuses %s", async (_how, status, options, request) => {
    const { res, ends } = call(options, request);
    await until("a response", () => res._isEndCalled());
    await soon();
    expect(res._getStatusCode()).toBe(status);
    expect(res._getJSONData()).toMatchObject({ status });
    expect(res._getHeaders()).not.toHaveProperty("connection");
    expect(ends).toEqual([expect.objectContaining({ status, isRefused: true })]);
  });

  test("refuses an expectation that nobody knows", () => {
    const { req, res } = call({}, { headers: { Expect: "size-class=small" } });
    expect(res._getStatusCode()).toBe(417);
    expect(handshakeOf(req as never).state).toBe("refused");
  });

  test("refuses by a second guard", async () => {
    const { req, res, passed } = call({ policies: [maxSize(10)] });
    await passed;
    expectations({ logger: silent, policies: [() => false] })(req as never, res as never, () => {});
    expect(res._getStatusCode()).toBe(403);
    // The application may go on.
    res.status(201).send("stored");
    expect(res._getStatusCode()).toBe(403);
  });

  test("gives a place of concurrency back", async () => {
    const policies = [concurrency({ limit: 1 })];
    const first = call({ policies });
    await first.passed;
    const second = call({ policies });
    expect(second.res._getStatusCode()).toBe(503);
    first.res.end();
    await soon();
    await call({ policies }).passed;
  });

  test("refuses and accepts as a request of an attached server", async () => {
    const guard = expectations({ logger: silent, policies: [maxSize(6)] });
    const server = attach(
      http.createServer((_req, res) => void res.end("stored")),
      { guard, logger: silent },
    );
    const accepted = mocks({ ...UPLOAD, headers: { "Content-Length": "5" } }, isMute);
    server.emit("request", accepted.req, accepted.res);
    expect(accepted.res._getData()).toBe("stored");
    const refused = mocks({ ...UPLOAD, headers: { "Content-Length": "7" } }, isMute);
    server.emit("request", refused.req, refused.res);
    expect(refused.res._getStatusCode()).toBe(413);
    const unknown = mocks({ ...UPLOAD, headers: { "Content-Length": "5", Expect: "size-class=small" } }, isMute);
    server.emit("request", unknown.req, unknown.res);
    expect(unknown.res._getStatusCode()).toBe(417);
  });
});

test("node-mocks-http: a handler behind a guard gets the content that the test sends", async () => {
  const { req, res } = mocks({ ...UPLOAD, headers: { "Content-Length": "5" } });
  expectations({ logger: silent, policies: [maxSize(10)] })(req as never, res as never, () => {
    store(req as never, res as never, () => {});
  });
  req.send("hello");
  expect(res._getData()).toBe("stored 5");
});
