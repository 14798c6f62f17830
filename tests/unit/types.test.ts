import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import express, { type Request } from "express";
import * as ts from "typescript";
import { allOf, authorize, expectations, maxSize, mediaTypes, type Policy, refuse, silent } from "../../src/index.js";

// The code of this function is checked by `npx tsc -p .`; nobody listens, so nothing is sent.
function application(): express.Express {
  const app = express();
  const handler: express.RequestHandler = (_req, res) => void res.end();

  app.use(expectations());
  app.use(expectations({ policies: [maxSize("1gb"), mediaTypes(["image/*"])], logger: silent }));
  app.use(expectations({ policies: [(req) => req.get("authorization") !== undefined] }));

  // A type argument brings the route's parameters.
  app.put(
    "/images/:id",
    expectations<Request<{ id: string }>>({
      policies: [
        (req) => {
          const id: string = req.params.id;
          return id !== "" && req.get("authorization") ? true : refuse(401);
        },
        authorize((req) => req.params.id === req.get("x-user"), { challenge: "Bearer" }),
        allOf<Request<{ id: string }>>((req) => req.params.id !== "", maxSize("10mb")),
        mediaTypes(["image/*"]),
        maxSize("10mb"),
      ],
      extensions: { "size-class": (req) => req.params.id !== "" },
      refusalBody: (refusal, req) => ({ type: "text/plain", body: `${req.params.id} ${refusal.status}` }),
      onRefusal: (refusal, req, _res, next) => next(new Error(`${req.params.id} ${refusal.status}`)),
    }),
    handler,
  );

  // A guard leaves the parameters of the handlers behind it alone.
  app.put("/files/:name", expectations({ policies: [maxSize(1)] }), (req, res) => {
    const name: string = req.params.name;
    res.end(name);
  });
  return app;
}

test("Express takes guards with and without a type argument", () => {
  expect(application).not.toThrow();
});

/** Programs of a user, and the line that the compiler complains about; none where it must not. */
const SNIPPETS: Record<string, { code: string; error?: RegExp }> = {
  "a guard in a route knows Express's request without a type argument": {
    code: `app.put("/images/:id", expectations({ policies: [
      (req) => { const id = req.params.id; return id !== undefined && req.get("authorization") !== undefined; },
    ] }), handler);`,
  },
  "a guard in a route knows Express's request beside a policy of the package, as in the README": {
    code: `app.put("/images/:id", expectations({ policies: [
      (req) => req.get("authorization") ? true : refuse(401, { headers: { "WWW-Authenticate": "Bearer" } }),
      mediaTypes(["image/*"]), maxSize("10mb"), knownLength(),
    ], logger: silent }), handler);`,
  },
  "combinators in a route know Express's request, beside policies of the package": {
    code: `app.put("/images/:id", expectations({ policies: [
      when((req) => req.get("x") !== undefined, maxSize(1)),
      allOf((req) => req.get("x") !== undefined, maxSize(1)),
      authorize((req) => req.get("authorization") !== undefined, { challenge: "Bearer" }),
    ] }), handler);`,
  },
  "a type argument brings the route's parameters": {
    code: `app.put("/images/:id", expectations<Request<{ id: string }>>({ policies: [
      (req) => { const id: string = req.params.id; return req.get("authorization") === id; }, maxSize(1),
    ] }), handler);`,
  },
  "an annotated policy brings its own request": {
    code: `app.put("/images/:id", expectations({ policies: [
      (req: Request<{ id: string }>) => { const id: string = req.params.id; return id !== ""; }, maxSize(1),
    ] }), handler);`,
  },
  "a guard that is made elsewhere fits Express and Connect": {
    code: `const guard = expectations({ policies: [(req) => req.headers.authorization !== undefined, maxSize(1)] });
      app.use(guard); app.put("/x/:id", guard, handler); express.Router().post("/y", guard, handler); connect().use(guard);`,
  },
  "a guard fits node:http and node:https servers, with attach": {
    code: `attach(http.createServer(app), { guard: expectations({ policies: [maxSize(1)] }), lingerMs: 1 }); attach(app.listen(0));`,
  },
  "a guard fits node:http2": {
    code: `attach(http2.createServer((req, res) => { expectations<HttpRequest>()(req, res, () => res.end()); }));`,
  },
  "policies may be synchronous or asynchronous": {
    code: `const all: Policy[] = [() => true, async () => false, () => refuse(429), async () => refuse(429)];
      expectations({ policies: all });`,
  },
  "pino, bunyan's shape and the console are loggers": {
    code: `expectations({ logger: pino() }); expectations({ logger: console }); expectations({ logger: fromWinston(winston.createLogger()) });`,
  },
  "codes of errors are a closed list": {
    code: `try { expectations(); } catch (error) { if (error instanceof ExpectationError && error.code === "ERR_EXPECT_OPTION") throw error; }`,
  },
  "an unknown option is an error": { code: `expectations({ polices: [] });`, error: /polices/ },
  "a wrong value is an error": { code: `expectations({ continueTiming: "later" });`, error: /"later"/ },
  "a policy that lacks a return is an error": {
    code: `expectations({ policies: [(req) => { req.headers.authorization === "x"; }] });`,
    error: /void/,
  },
  "an asynchronous policy that lacks a return is an error": {
    code: `const policy: Policy = async (req) => { await Promise.resolve(req); };`,
    error: /Promise<void>/,
  },
  "a policy that returns on some paths only is an error": {
    code: `const policy: Policy = (req) => { if (req.url === "/") return true; return; };`,
    error: /undefined/,
  },
  "undefined is no verdict": { code: `const verdict: Verdict = undefined;`, error: /undefined/ },
  "a combinator of a policy that lacks a return is an error": {
    code: `allOf(() => {}, maxSize(1));`,
    error: /void/,
  },
  "an extension that lacks a return is an error": {
    code: `expectations({ extensions: { tea: () => {} } });`,
    error: /void/,
  },
  "admission's policy that lacks a return is an error": {
    code: `admission({ trustProxy: "loopback", policies: [(req) => { req.get("x"); }] });`,
    error: /void/,
  },
  "a policy that answers nonsense is an error": { code: `expectations({ policies: [() => 417] });`, error: /number/ },
  "a look-alike of an error's code is an error": {
    code: `new ExpectationError("ERR_EXPECT_OPTIONS", "");`,
    error: /ERR_EXPECT_OPTIONS/,
  },
  "beside a policy of the package, Express's request is no any": {
    code: `app.put("/images/:id", expectations({ policies: [(req) => req.nonsense === 1, maxSize(1)] }), handler);`,
    error: /nonsense/,
  },
  "an Express application is no server": { code: `attach(app);`, error: /AttachableServer/ },
  "a refusal cannot be changed": { code: `refuse(401).status = 403;`, error: /read-only/ },
  "authorize needs a challenge": { code: `authorize(() => true, {});`, error: /challenge/ },
};

const PRELUDE = `
import * as http from "node:http";
import * as http2 from "node:http2";
import connect from "connect";
import express, { type Request } from "express";
import pino from "pino";
import winston from "winston";
import { admission, allOf, attach, authorize, ExpectationError, expectations, fromWinston, type HttpRequest, knownLength, maxSize,
  mediaTypes, type Policy, refuse, silent, type Verdict, when } from "../../src/index.js";
declare const app: express.Express;
declare const handler: express.RequestHandler;
`;

const ROOT = join(__dirname, "../..");

describe("in the eyes of the compiler", () => {
  const complaints = new Map<string, string[]>();

  beforeAll(() => {
    const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, ROOT);
    const names = Object.keys(SNIPPETS);
    const paths = names.map((_, i) => join(__dirname, `snippet-${i}.ts`).split("\\").join("/"));
    const sources = new Map(paths.map((path, i) => [path, PRELUDE + SNIPPETS[names[i]!]!.code]));
    const host = ts.createCompilerHost(options);
    const { fileExists, getSourceFile, readFile } = host;
    host.fileExists = (path) => sources.has(path) || fileExists(path);
    host.readFile = (path) => sources.get(path) ?? readFile(path);
    host.getSourceFile = (path, target, ...rest) => {
      const text = sources.get(path);
      return text === undefined ? getSourceFile(path, target, ...rest) : ts.createSourceFile(path, text, target);
    };
    const program = ts.createProgram(paths, options, host);
    for (const [i, path] of paths.entries()) {
      const file = program.getSourceFile(path);
      expect(dirname(file!.fileName)).toBe(dirname(paths[0]!));
      const diagnostics = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
      complaints.set(
        names[i]!,
        diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")),
      );
    }
  }, 60_000);

  test.each(Object.entries(SNIPPETS))("%s", (name, { error }) => {
    if (error === undefined) expect(complaints.get(name)).toEqual([]);
    else expect(complaints.get(name)).toEqual([expect.stringMatching(error)]);
  });
});

const _policyOfExpress: Policy<Request<{ id: string }>> = (req) => req.params.id !== "";
void _policyOfExpress;
