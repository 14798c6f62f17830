// What a question costs (`preflight`), beside the refusal of the upload itself at the same route: Express, a guard with
// maxSize, in process and without a network. And whether a GET notices. Exit code 1 if a question costs more than 1.3
// refusals.
//
//   npm run build && node bench/questions.mjs
import express from "express";
import { expectations, maxSize, preflight, silent } from "../dist/esm/index.js";
import { makeExchange } from "./flood-exchange.mjs";
import { median } from "./statistics.mjs";

const CALLS = 4_000;
const ROUNDS = 15;
const MOST = 1.3;
const LENGTH = 100 * 2 ** 20;

const withQuestions = appWith((app, guard) => app.options("/files/:id", preflight(guard)));
const without = appWith(() => {});

const JOBS = {
  "a refused upload": () => run(withQuestions, "PUT", { "content-length": String(LENGTH) }, 413),
  "a refused question": () => run(withQuestions, "OPTIONS", { "upload-length": String(LENGTH) }, 413),
  "an accepted question": () => run(withQuestions, "OPTIONS", { "upload-length": "5" }, 204),
  "a question about limits": () => run(withQuestions, "OPTIONS", {}, 204),
  "a GET beside questions": () => run(withQuestions, "GET", {}, 200),
  "a GET without them": () => run(without, "GET", {}, 200),
};

function appWith(mount) {
  const app = express();
  app.set("etag", false);
  const guard = expectations({ policies: [maxSize("10mb")], logger: silent, autoAttach: false });
  mount(app, guard);
  app.put("/files/:id", guard, (_req, res) => res.end());
  app.get("/files/:id", guard, (_req, res) => res.end());
  return app;
}

function run(app, method, fields, status) {
  const { req, res } = makeExchange(0);
  const { expect, "content-length": _, ...rest } = req.headers;
  req.method = method;
  // Both without Expect, as browsers send them.
  req.headers = { ...rest, ...fields };
  req.rawHeaders = Object.entries(req.headers).flat();
  app(req, res);
  if (res.statusCode !== status || !res.writableEnded) throw new Error(`${method}: ${res.statusCode}`);
}

const times = new Map(Object.keys(JOBS).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, job] of Object.entries(JOBS)) {
    const startedAt = process.hrtime.bigint();
    for (let i = 0; i < CALLS; i++) job();
    times.get(name).push(Number(process.hrtime.bigint() - startedAt) / CALLS / 1_000);
    // What an exchange leaves to later is its own cost, and no other's.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const microseconds = Object.fromEntries([...times].map(([name, all]) => [name, median(all)]));
const base = microseconds["a refused upload"];
for (const [name, each] of Object.entries(microseconds)) {
  console.log(`${name}: ${each.toFixed(1)} µs, ${(each / base).toFixed(2)} of a refused upload`);
}
if (Object.entries(microseconds).some(([name, each]) => name.includes("question") && each > MOST * base))
  process.exit(1);
