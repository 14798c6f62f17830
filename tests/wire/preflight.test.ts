import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type * as http2 from "node:http2";
import { afterEach, describe, expect, test } from "@jest/globals";
import {
  allOf,
  anyOf,
  authorize,
  concurrency,
  type ExpectationOptions,
  expectations,
  type HttpRequest,
  knownLength,
  maxSize,
  mediaTypes,
  type Policy,
  type PreflightHandler,
  type PreflightOptions,
  preflight,
  refuse,
  silent,
  when,
} from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { closeSessions, openSession } from "../helpers/http2.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  HTTP2_KINDS,
  type Http1Kind,
  isTlsKind,
  next,
  recordingLogger,
  startAttached,
  store,
} from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { keptEnds, pendingPolicy } from "../helpers/verdict.js";
import { WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeSessions);
afterEach(closeServers);

interface Served {
  readonly kind?: Http1Kind;
  readonly policies?: readonly Policy[];
  readonly guard?: Partial<ExpectationOptions>;
  readonly options?: PreflightOptions;
  readonly before?: readonly Handler[];
}

/** A route with one guard: `OPTIONS` is the question, all other methods are the upload. */
async function serve({ kind = "Express 5", policies = [], guard: more = {}, options, before = [] }: Served) {
  const guard = expectations({ logger: silent, policies, ...more }) as Handler;
  const question = preflight(guard, options) as Handler;
  const ask: Handler = (req, res, done) => (req.method === "OPTIONS" ? question(req, res, done) : done());
  const { port } = await startAttached(
    kind,
    { use: before, routes: { "/files": [ask, guard, store], "/next": next } },
    { logger: silent },
  );
  return WireClient.connect(port, { tls: isTlsKind(kind) });
}

const question = (...fields: string[]) => ["OPTIONS /files HTTP/1.1", "Host: test", ...fields, "", ""].join("\r\n");
const BEARER = authorize((req: IncomingMessage) => req.headers.authorization === "Bearer yes", { challenge: "Bearer" });

describe.each(HTTP1_KINDS)("%s", (kind) => {
  test("says that an upload would be accepted, again and again on one connection", async () => {
    const wire = await serve({ kind, policies: [mediaTypes(["image/*"]), maxSize("10mb"), async () => true] });
    for (const n of [1, 2]) {
      wire.send(question("Upload-Length: 10485760", "Content-Type: image/png"));
      const yes = await wire.final(n);
      expect(yes).toMatchObject({
        status: 204,
        headers: {
          "upload-verdict": "accept",
          "upload-limit": "max-size=10485760",
          "cache-control": "no-store",
          vary: "*",
        },
      });
    }
    expect(await wire.answersNext()).toBe(true);
  });

  test("says that it would be refused, with the status and the words of the refusal, and keeps the connection", async () => {
    const wire = await serve({ kind, policies: [maxSize("10mb")] });
    for (const n of [1, 2]) {
      wire.send(question("Upload-Length: 10485761"));
      const no = await wire.final(n);
      expect(no).toMatchObject({
        status: 413,
        headers: {
          "upload-verdict": "refuse",
          "upload-limit": "max-size=10485760",
          "cache-control": "no-store",
          "content-type": "application/problem+json",
        },
      });
      expect(JSON.parse(no.body)).toMatchObject({ status: 413, detail: "larger than 10485760 bytes" });
      expect(no.headers.connection).not.toBe("close");
    }
    expect(await wire.answersNext()).toBe(true);
  });

  test("leaves the uploads themselves to the guard", async () => {
    const wire = await serve({ kind, policies: [maxSize(5)] });
    wire.send(question("Upload-Length: 5"));
    expect((await wire.final()).status).toBe(204);
    wire.send("PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello");
    expect(await wire.final(2)).toMatchObject({ status: 201, body: "stored 5" });
  });
});

describe("a refusal", () => {
  test.each([
    ["false", () => false as const, 403],
    ["417", () => refuse(417), 403],
    ["a status of its own", () => refuse(422, { reason: "no" }), 422],
    ["a status of success", () => refuse(200, { body: "stored already" }), 200],
    ["a fault", () => Promise.reject(new Error("broken")), 500],
    ["nothing", () => undefined as never, 500],
  ])("of %s is told with its status, never 417, and a body", async (_name, policy, status) => {
    const wire = await serve({ policies: [policy], guard: { expectationStatus: 417, refusalBody: "none" } });
    wire.send(question("Upload-Length: 5"));
    const no = await wire.final();
    expect(no).toMatchObject({ status, headers: { "upload-verdict": "refuse" } });
    expect(no.body).not.toBe("");
  });

  test("has the body that the guard's function makes of it", async () => {
    const refusalBody = ({ status }: { status: number }, req: HttpRequest) => ({
      type: "text/plain",
      body: `${req.method} ${status}`,
    });
    const wire = await serve({ policies: [() => refuse(422)], guard: { refusalBody } });
    wire.send(question("Upload-Length: 5"));
    expect(await wire.final()).toMatchObject({
      status: 422,
      headers: { "content-type": "text/plain" },
      body: "PUT 422",
    });
  });

  test("whose body cannot be made is 500, and logged", async () => {
    const logger = recordingLogger();
    const refusalBody = () => {
      throw new Error("no body");
    };
    const wire = await serve({ policies: [() => refuse(422)], guard: { refusalBody, logger } });
    wire.send(question("Upload-Length: 5"));
    expect((await wire.final()).status).toBe(500);
    expect(logger.records.at(-1)).toMatchObject({ level: "error", details: { policy: "refusalBody" } });
  });

  test("keeps the fields of the policy", async () => {
    const headers = { "Retry-After": 7, vary: "X-Own", "upload-limit": "max-size=3" };
    const wire = await serve({ policies: [maxSize(9), () => refuse(429, { headers })] });
    wire.send(question("Upload-Length: 5"));
    expect((await wire.final()).headers).toMatchObject({ "retry-after": "7", vary: "*", "upload-limit": "max-size=3" });
  });

  test("by limitBytes or upload.refuse is one, too, and no later policy is asked", async () => {
    const asked: string[] = [];
    const wire = await serve({
      policies: [
        (req, upload) => {
          if (req.headers["x-way"] === "limit") upload.limitBytes(4, refuse(413, { reason: "too long" }));
          else upload.refuse(refuse(409, { reason: "taken" }));
          return true;
        },
        () => {
          asked.push("later");
          return true;
        },
      ],
    });
    wire.send(question("Upload-Length: 5", "X-Way: limit"));
    expect(await wire.final()).toMatchObject({ status: 413, headers: { "upload-limit": "max-size=4" } });
    wire.send(question("Upload-Length: 5"));
    expect((await wire.final(2)).status).toBe(409);
    expect(asked).toEqual([]);
  });

  test("is logged as the upload's, marked as a question", async () => {
    const logger = recordingLogger();
    const wire = await serve({ policies: [maxSize(4)], guard: { logger }, options: { method: ["POST", "PUT"] } });
    wire.send(question("Upload-Length: 5", "User-Agent: page"));
    await wire.final();
    expect(logger.records).toHaveLength(1);
    expect(logger.records[0]).toMatchObject({
      level: "warn",
      message: "POST /files refused with 413 by maxSize",
      details: {
        event: "expectation.refused",
        preflight: true,
        method: "POST",
        url: "/files",
        status: 413,
        policy: "maxSize",
        declaredLength: 5,
        userAgent: "page",
      },
    });
  });

  test("of an upload itself is not marked", async () => {
    const logger = recordingLogger();
    const wire = await serve({ policies: [maxSize(4)], guard: { logger } });
    wire.send("PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n");
    expect((await wire.final()).headers["upload-limit"]).toBe("max-size=4");
    expect(logger.records[0]?.details).not.toHaveProperty("preflight");
  });
});

describe("a question without Upload-Length gets the limit alone", () => {
  const asked = async (policies: readonly Policy[], ...fields: string[]) => {
    const logger = recordingLogger();
    const wire = await serve({ policies, guard: { logger } });
    wire.send(question(...fields));
    const { status, headers } = await wire.final();
    expect(status).toBe(204);
    expect(headers["upload-verdict"]).toBeUndefined();
    expect(logger.records.filter(({ level }) => level === "warn")).toEqual([]);
    return { limit: headers["upload-limit"], errors: logger.records };
  };

  test.each<[string, readonly Policy[], string | undefined]>([
    ["no policy", [], undefined],
    ["maxSize", [maxSize(1000)], "max-size=1000"],
    ["the smallest of several", [maxSize(1000), maxSize(10), maxSize(100)], "max-size=10"],
    ["behind policies about content", [knownLength(), mediaTypes(["image/*"]), maxSize(1000)], "max-size=1000"],
    ["in combinations", [allOf(knownLength(), anyOf(BEARER, maxSize(9)))], "max-size=9"],
    ["where a condition holds", [when(() => false, maxSize(9)), when(() => true, maxSize(99))], "max-size=99"],
    ["a limit with another status", [(_req, { limitBytes }) => limitBytes(5, refuse(429)) === undefined], undefined],
    ["a limit that no field can hold", [maxSize(1e15)], undefined],
  ])("%s", async (_name, policies, limit) => {
    expect(await asked(policies)).toMatchObject({ limit, errors: [] });
  });

  test("no more than an upload of the same client would tell", async () => {
    expect((await asked([BEARER, maxSize(9)])).limit).toBeUndefined();
    expect((await asked([BEARER, maxSize(9)], "Authorization: Bearer yes")).limit).toBe("max-size=9");
    expect((await asked([maxSize(9), BEARER])).limit).toBe("max-size=9");
  });

  test("where a policy fails, which is logged", async () => {
    const broken = () => {
      throw new Error("broken");
    };
    const { limit, errors } = await asked([maxSize(9), broken]);
    expect(limit).toBe("max-size=9");
    expect(errors).toMatchObject([{ level: "error", details: { policy: "broken", preflight: true } }]);
  });
});

describe("policies see the upload", () => {
  test("its method, length and type; what middlewares have put on the request; and that it is a question", async () => {
    const seen: unknown[] = [];
    const wire = await serve({
      before: [(req, _res, done) => done(void Object.assign(req, { user: { id: 7 } }))],
      options: { method: ["PUT", "PATCH"] },
      policies: [
        (req, upload) => {
          const { method, url, headers, rawHeaders } = req;
          const { user } = req as unknown as { user: unknown };
          const { length, mediaType, isPreflight, received, expectation } = upload;
          seen.push({ method, url, user, length, mediaType, isPreflight, received, expectation });
          seen.push(headers["content-length"], headers["upload-method"], headers["if-none-match"]);
          seen.push(rawHeaders.filter((_, i) => i % 2 === 0));
          return true;
        },
      ],
    });
    wire.send(
      question(
        "Upload-Length: 5",
        "Upload-Method: PATCH",
        "Content-Type: Image/PNG",
        "If-None-Match: *",
        "Content-Length: 0",
      ),
    );
    expect((await wire.final()).status).toBe(204);
    expect(seen).toEqual([
      {
        method: "PATCH",
        url: "/files",
        user: { id: 7 },
        length: 5,
        mediaType: "image/png",
        isPreflight: true,
        received: 0,
        expectation: undefined,
      },
      "5",
      undefined,
      "*",
      ["Content-Length", "Host", "Content-Type", "If-None-Match"],
    ]);
  });

  test("its fields in each form that Node has, and listeners that are told of the question's end", async () => {
    const seen: unknown[] = [];
    const closed: string[] = [];
    const { policy, asked } = pendingPolicy();
    const wire = await serve({
      // Node keeps what it has made of the lines.
      before: [(req, _res, done) => done(void req.headersDistinct)],
      policies: [
        (req) => {
          const once = () => void closed.push("off");
          req.once("close", once);
          req.on("close", () => closed.push("told"));
          req.off("close", once);
          seen.push(
            req.headersDistinct["content-length"],
            req.headersDistinct["upload-length"],
            req.headersDistinct["x-a"],
          );
          return true;
        },
        policy,
      ],
    });
    wire.send(question("Upload-Length: 5", "X-A: 1", "X-A: 2"));
    await asked;
    wire.destroy();
    await until("the listener is told", () => closed.length > 0);
    expect(closed).toEqual(["told"]);
    expect(seen).toEqual([["5"], undefined, ["1", "2"]]);
  });

  test("one after the other: what one puts on the request, the next one finds, and nobody else", async () => {
    const guards = [1, 2].map((n) =>
      expectations({
        logger: silent,
        policies: [
          (req) => {
            const marked = req as { marks?: number[] };
            marked.marks = [...(marked.marks ?? []), n];
            return marked.marks.length === n || refuse(500);
          },
        ],
      }),
    );
    let left: unknown = "not asked";
    const ask = preflight(guards) as Handler;
    const { port } = await startAttached("node:http", {
      use: [
        (req, res, done) => {
          ask(req, res, done);
          left = (req as { marks?: number[] }).marks;
        },
      ],
    });
    const wire = await WireClient.connect(port);
    wire.send(question("Upload-Length: 5"));
    expect((await wire.final()).headers["upload-verdict"]).toBe("accept");
    expect(left).toBeUndefined();
  });
});

describe.each(HTTP2_KINDS)("%s", (kind) => {
  test("questions are answered on streams of one session, which stays", async () => {
    const guard = expectations({ logger: silent, policies: [mediaTypes(["image/*"]), maxSize(5)] });
    const running = await startAttached(kind, { use: [preflight(guard) as Handler] }, { logger: silent });
    const session = await openSession(running);
    const ask = async (fields: http2.OutgoingHttpHeaders, endStream = true) => {
      const stream = session.request({ ":method": "OPTIONS", ":path": "/files", ...fields }, { endStream });
      const [head] = (await once(stream, "response")) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader];
      stream.resume();
      await once(stream, "close");
      return [head[":status"], head["upload-verdict"], head["upload-limit"]];
    };
    const image = { "content-type": "image/png" };
    expect(await ask({ ...image, "upload-length": "5" })).toEqual([204, "accept", "max-size=5"]);
    expect(await ask({ ...image, "upload-length": "6" })).toEqual([413, "refuse", "max-size=5"]);
    expect(await ask({ "upload-length": "5" })).toEqual([415, "refuse", undefined]);
    expect(await ask({})).toEqual([204, undefined, "max-size=5"]);
    expect(await ask({ "upload-length": "-5" })).toEqual([400, undefined, undefined]);
    expect(await ask({ "upload-length": "5" }, false)).toEqual([400, undefined, undefined]);
    expect(session.destroyed || session.closed).toBe(false);
  });
});

describe("malformed questions", () => {
  test.each([
    ["a negative length", ["Upload-Length: -1"]],
    ["a fraction", ["Upload-Length: 1.5"]],
    ["a decimal", ["Upload-Length: 5.0"]],
    ["an exponent", ["Upload-Length: 1e3"]],
    ["2^60", ["Upload-Length: 1152921504606846976"]],
    ["a repeated length", ["Upload-Length: 5", "Upload-Length: 5"]],
    ["a list of lengths", ["Upload-Length: 5, 5"]],
    ["a quoted length", ['Upload-Length: "5"']],
    ["an empty length", ["Upload-Length:"]],
    ["hexadecimal", ["Upload-Length: 0x10"]],
    ["a broken parameter", ["Upload-Length: 5;"]],
    ["a method out of the list", ["Upload-Length: 5", "Upload-Method: DELETE"]],
    ["a method in small letters", ["Upload-Length: 5", "Upload-Method: put"]],
    ["two methods", ["Upload-Length: 5", "Upload-Method: PUT", "Upload-Method: PUT"]],
    ["an inherited name as method", ["Upload-Length: 5", "Upload-Method: toString"]],
  ])("%s: 400 with a reason, no policy asked, and the connection goes on", async (_name, fields) => {
    const asked: unknown[] = [];
    const logger = recordingLogger();
    const wire = await serve({ policies: [(req) => asked.push(req) > 0], guard: { logger } });
    wire.send(question(...fields));
    const no = await wire.final();
    expect(no).toMatchObject({ status: 400, headers: { "cache-control": "no-store" } });
    expect(no.headers["upload-verdict"]).toBeUndefined();
    expect(JSON.parse(no.body).detail).toMatch(/^Upload-(Length|Method) /);
    expect(asked).toEqual([]);
    expect(logger.records).toMatchObject([{ details: { status: 400, policy: "preflight", preflight: true } }]);
    expect(await wire.answersNext()).toBe(true);
  });

  test.each(["Content-Length: 5", "Transfer-Encoding: chunked", "Expect: 100-continue\r\nContent-Length: 5"])(
    "content (%j): 400, closed, nothing read and nothing behind it run",
    async (framing) => {
      const wire = await serve({});
      wire.send(question("Upload-Length: 5", ...framing.split("\r\n")), "GET /next HTTP/1.1\r\nHost: test\r\n\r\n");
      const no = await wire.final();
      expect(no).toMatchObject({ status: 400, headers: { connection: "close" } });
      await wire.closed();
      expect(wire.statuses).toEqual([400]);
    },
  );

  test("parameters of the length are ignored, as structured fields have it", async () => {
    const wire = await serve({ policies: [maxSize(5)] });
    wire.send(question("Upload-Length: 0005;unit=bytes"));
    expect((await wire.final()).headers["upload-verdict"]).toBe("accept");
  });
});

describe("nothing is left", () => {
  test("what a policy has reserved, it is told to give back, whatever the answer", async () => {
    const { ends, policy } = keptEnds();
    const verdicts = [true, refuse(409)];
    const wire = await serve({ policies: [policy, () => verdicts.shift() ?? true] });
    for (const n of [1, 2]) {
      wire.send(question("Upload-Length: 5"));
      await wire.final(n);
      expect(ends).toHaveLength(n);
    }
    expect(ends.every(({ isRefused, isWhole }) => isRefused && !isWhole)).toBe(true);
  });

  test("a client that leaves while policies judge: they are told, and no answer is logged", async () => {
    const { ends, policy: keep } = keptEnds();
    const { policy, asked } = pendingPolicy();
    const logger = recordingLogger();
    const signals: AbortSignal[] = [];
    const wire = await serve({
      policies: [keep, (_req, upload) => signals.push(upload.signal) > 0, policy],
      guard: { logger },
    });
    wire.send(question("Upload-Length: 5"));
    await asked;
    wire.destroy();
    await until("the policies are told", () => ends.length === 1);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(logger.records).toEqual([]);
  });

  test("a policy that does not answer in time: 503, logged as a fault", async () => {
    const { policy } = pendingPolicy();
    const logger = recordingLogger();
    const wire = await serve({ policies: [policy], guard: { logger, policyTimeoutMs: 20 } });
    wire.send(question("Upload-Length: 5"));
    expect(await wire.final()).toMatchObject({ status: 503, headers: { "upload-verdict": "refuse" } });
    expect(logger.records).toMatchObject([{ level: "error", details: { status: 503, preflight: true } }]);
  });

  test("a question while the server closes is answered, and the server closes", async () => {
    const { policy, asked, decide } = pendingPolicy();
    const guard = expectations({ logger: silent, policies: [policy] });
    const running = await startAttached("node:http", { use: [preflight(guard) as Handler] });
    const wire = await WireClient.connect(running.port);
    wire.send(question("Upload-Length: 5"));
    await asked;
    const closed = new Promise<void>((resolve) => running.server.close(() => resolve()));
    decide(refuse(409));
    expect((await wire.final()).status).toBe(409);
    wire.socket.end();
    await closed;
  });

  test("questions take no place, not even while other policies decide", async () => {
    const room = concurrency({ limit: 1 });
    const { policy, asked, decide } = pendingPolicy();
    const pending = when((_req, { isPreflight }) => isPreflight, policy);
    const asking = await serve({ policies: [room, pending] });
    asking.send(question("Upload-Length: 5"));
    await asked;
    expect(room.places.inUse).toBe(0);
    const uploading = await WireClient.connect(asking.socket.remotePort as number);
    uploading.send("PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n");
    await until("the upload has its place", () => room.places.inUse === 1);
    const other = await WireClient.connect(asking.socket.remotePort as number);
    other.send(question("Upload-Length: 5"));
    expect(await other.final()).toMatchObject({ status: 503, headers: { "upload-verdict": "refuse" } });
    decide(true);
    expect((await asking.final()).headers["upload-verdict"]).toBe("accept");
    uploading.send("hello");
    expect((await uploading.final()).status).toBe(201);
  });

  test("a thousand questions at once are all answered", async () => {
    const wires = await Promise.all(
      Array.from({ length: 10 }, async (_, i) => serve({ policies: [async () => i % 2 === 0 || refuse(409)] })),
    );
    for (const wire of wires) wire.send(question("Upload-Length: 5").repeat(100));
    await Promise.all(wires.map((wire) => wire.final(100)));
    expect(wires.map((wire) => new Set(wire.statuses).size)).toEqual(Array(10).fill(1));
  });
});

test("in front of a whole application, other methods pass by", async () => {
  const guard = expectations({ logger: silent, policies: [maxSize(5)] });
  const { port } = await startAttached("Express 5", {
    use: [preflight(guard) as Handler],
    routes: { "/files": [guard as Handler, store], "/next": next },
  });
  const wire = await WireClient.connect(port);
  wire.send(question("Upload-Length: 6"));
  expect((await wire.final()).headers["upload-verdict"]).toBe("refuse");
  wire.send("PUT /files HTTP/1.1\r\nHost: test\r\nUpload-Length: 5\r\nContent-Length: 5\r\n\r\nhello");
  expect((await wire.final(2)).status).toBe(201);
  expect(await wire.answersNext()).toBe(true);
});

describe("guards", () => {
  const guardOf = (policies: Policy[], more: Partial<ExpectationOptions> = {}) =>
    expectations({ logger: silent, policies, ...more });

  async function answer(ask: PreflightHandler) {
    const { port } = await startAttached("node:http", { use: [ask as Handler] });
    const wire = await WireClient.connect(port);
    wire.send(question("Upload-Length: 500"));
    const { status, headers } = await wire.final();
    return { status, limit: headers["upload-limit"] };
  }

  test("all decide, in their order", async () => {
    expect(await answer(preflight([guardOf([maxSize(1000)]), guardOf([maxSize(600)])]))).toEqual({
      status: 204,
      limit: "max-size=600",
    });
    expect(await answer(preflight([guardOf([maxSize(1000)]), guardOf([() => refuse(409)])]))).toEqual({
      status: 409,
      limit: "max-size=1000",
    });
    expect(await answer(preflight([guardOf([maxSize(1000)]), guardOf([maxSize(400)])]))).toEqual({
      status: 413,
      limit: "max-size=400",
    });
  });

  test("that judge requests with Expect alone say nothing, as they would to the upload", async () => {
    const only = guardOf([() => refuse(409)], { applyTo: "expectations" });
    expect((await answer(preflight([only]))).status).toBe(204);
  });

  test.each<[string, unknown, string]>([
    ["a function", () => {}, "preflight(guard): received"],
    ["nothing", undefined, "preflight(guard): received undefined"],
    ["no guard", [], "preflight(guards): received"],
    ["a policy", maxSize(1), "a guard that expectations() returned"],
    ["a list with something else", [guardOf([]), "guard"], "preflight(guards)[1]: received"],
    ["the factory", expectations, "preflight(guard): expectations was passed without being called"],
  ])("%s as a guard is an error at once", (_name, guards, message) => {
    expect(() => preflight(guards as never)).toThrow(message);
  });

  test.each<[string, unknown, string]>([
    ["an unknown option", { methods: ["PUT"] }, "did you mean method?"],
    ["no method", { method: [] }, "preflight({ method })"],
    ["a method in small letters", { method: "put" }, "preflight({ method })"],
    ["no token", { method: "PUT, POST" }, "preflight({ method })"],
    ["null", null, "preflight(options)"],
  ])("%s is an error at once", (_name, options, message) => {
    expect(() => preflight(guardOf([]), options as never)).toThrow(message);
  });
});
