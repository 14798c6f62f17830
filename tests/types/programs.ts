// Programs of a user, which `npm run typecheck` compiles: nobody runs them. What must not compile says so.

import cluster from "node:cluster";
import * as http from "node:http";
import * as http2 from "node:http2";
import connect from "connect";
import express, { type Request } from "express";
import { Redis } from "ioredis";
import pino from "pino";
import { createClient } from "redis";
import winston from "winston";
import {
  type DecisionSource,
  dashboard,
  fromRedis,
  fromWorkers,
  relayDecisions,
  shareDecisions,
} from "../../src/dashboard/dashboard.js";
import {
  admission,
  allOf,
  attach,
  authorize,
  type DrainResult,
  drain,
  ExpectationError,
  expectations,
  fromWinston,
  type HttpRequest,
  isDraining,
  knownLength,
  maxSize,
  mediaTypes,
  type Policy,
  preflight,
  refuse,
  silent,
  type UnguardedRoute,
  unguarded,
  type Verdict,
  when,
} from "../../src/index.js";

declare const app: express.Express;
declare const handler: express.RequestHandler;

/** Each by what it shows. */
export const PROGRAMS: Record<string, () => void> = {
  "routes without a guard are listed for applications and routers, with guards of any type": () => {
    const guard = expectations({ policies: [maxSize("1mb")] });
    const routes: UnguardedRoute[] = [...unguarded(app), ...unguarded([app, express.Router()], [guard, handler])];
    // @ts-expect-error: no application
    unguarded("app");
    return routes;
  },
  "a guard in a route knows Express's request without a type argument": () => {
    app.put(
      "/images/:id",
      expectations({
        policies: [
          (req) => {
            const id = req.params.id;
            return id !== undefined && req.get("authorization") !== undefined;
          },
        ],
      }),
      handler,
    );
  },
  "a guard in a route knows Express's request beside a policy of the package, as in the README": () => {
    app.put(
      "/images/:id",
      expectations({
        policies: [
          (req) => (req.get("authorization") ? true : refuse(401, { headers: { "WWW-Authenticate": "Bearer" } })),
          mediaTypes(["image/*"]),
          maxSize("10mb"),
          knownLength(),
        ],
        logger: silent,
      }),
      handler,
    );
  },
  "combinators in a route know Express's request, beside policies of the package": () => {
    app.put(
      "/images/:id",
      expectations({
        policies: [
          when((req) => req.get("x") !== undefined, maxSize(1)),
          allOf((req) => req.get("x") !== undefined, maxSize(1)),
          authorize((req) => req.get("authorization") !== undefined, { challenge: "Bearer" }),
        ],
      }),
      handler,
    );
  },
  "a type argument brings the route's parameters": () => {
    app.put(
      "/images/:id",
      expectations<Request<{ id: string }>>({
        policies: [
          (req) => {
            const id: string = req.params.id;
            return req.get("authorization") === id;
          },
          maxSize(1),
        ],
      }),
      handler,
    );
  },
  "an annotated policy brings its own request": () => {
    app.put(
      "/images/:id",
      expectations({
        policies: [
          (req: Request<{ id: string }>) => {
            const id: string = req.params.id;
            return id !== "";
          },
          maxSize(1),
        ],
      }),
      handler,
    );
  },
  "a guard that is made elsewhere fits Express and Connect": () => {
    const guard = expectations({ policies: [(req) => req.headers.authorization !== undefined, maxSize(1)] });
    app.use(guard);
    app.put("/x/:id", guard, handler);
    express.Router().post("/y", guard, handler);
    connect().use(guard);
  },
  "a guard fits node:http and node:https servers, with attach": () => {
    attach(http.createServer(app), { guard: expectations({ policies: [maxSize(1)] }), lingerMs: 1 });
    attach(app.listen(0));
  },
  "a guard fits node:http2": () => {
    attach(
      http2.createServer((req, res) => {
        expectations<HttpRequest>()(req, res, () => res.end());
      }),
    );
  },
  "policies may be synchronous or asynchronous": () => {
    const all: Policy[] = [() => true, async () => false, () => refuse(429), async () => refuse(429)];
    expectations({ policies: all });
  },
  "pino, bunyan's shape and the console are loggers": () => {
    expectations({ logger: pino() });
    expectations({ logger: console });
    expectations({ logger: fromWinston(winston.createLogger()) });
  },
  "codes of errors are a closed list": () => {
    try {
      expectations();
    } catch (error) {
      if (error instanceof ExpectationError && error.code === "ERR_EXPECT_OPTION") throw error;
    }
  },
  "Express takes guards with and without a type argument": () => {
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
  },
  "an unknown option is an error": () => {
    // @ts-expect-error: polices
    expectations({ polices: [] });
  },
  "a wrong value is an error": () => {
    // @ts-expect-error: "later"
    expectations({ continueTiming: "later" });
  },
  "a policy that lacks a return is an error": () => {
    expectations({
      policies: [
        // @ts-expect-error: nothing is no verdict
        (req) => {
          req.headers.authorization === "x";
        },
      ],
    });
  },
  "an asynchronous policy that lacks a return is an error": () => {
    // @ts-expect-error: nothing is no verdict
    const policy: Policy = async (req) => {
      await Promise.resolve(req);
    };
    expectations({ policies: [policy] });
  },
  "a policy that returns on some paths only is an error": () => {
    // @ts-expect-error: undefined is no verdict
    const policy: Policy = (req) => {
      if (req.url === "/") return true;
      return;
    };
    expectations({ policies: [policy] });
  },
  "undefined is no verdict": () => {
    // @ts-expect-error: neither true, false nor a refusal
    const verdict: Verdict = undefined;
    expectations({ policies: [() => verdict] });
  },
  "a combinator of a policy that lacks a return is an error": () => {
    // @ts-expect-error: nothing is no verdict
    allOf(() => {}, maxSize(1));
  },
  "an extension that lacks a return is an error": () => {
    // @ts-expect-error: nothing is no verdict
    expectations({ extensions: { tea: () => {} } });
  },
  "questions are answered for guards of Node's request and of Express's, alone and together": () => {
    const forAll = expectations({ policies: [maxSize("1gb")] });
    const forImages = expectations({ policies: [(req: Request<{ id: string }>) => req.params.id !== ""] });
    app.use(forAll);
    app.options("/images/:id", preflight(forImages));
    app.options("/images/:id", preflight([forAll, forImages], { method: "POST" }));
    app.post("/images/:id/preflight", preflight(forAll, { method: ["PUT", "POST"] }));
    http.createServer((req, res) => preflight(forAll)(req, res));
    http2.createServer((req, res) => preflight(expectations<HttpRequest>())(req, res));
    connect().use(preflight(forAll));
  },
  "a policy is no guard to ask about": () => {
    // @ts-expect-error a policy has no next
    preflight(maxSize(1));
  },
  "admission's policy that lacks a return is an error": () => {
    admission({
      trustProxy: "loopback",
      policies: [
        // @ts-expect-error: nothing is no verdict
        (req) => {
          req.get("x");
        },
      ],
    });
  },
  "a dashboard takes the decisions of workers, of machines, and of a source of one's own": () => {
    const redis = new Redis();
    const nodeRedis = createClient();
    const own: DecisionSource = { publish: () => {}, subscribe: () => () => {} };
    dashboard({ from: fromWorkers(process) });
    dashboard({ from: relayDecisions(cluster) });
    dashboard({ from: fromRedis({ publisher: redis, subscriber: redis.duplicate() }) });
    dashboard({ from: fromRedis({ publisher: nodeRedis, subscriber: nodeRedis.duplicate(), channel: "uploads" }) });
    shareDecisions(own)();
    // @ts-expect-error: cannot publish
    dashboard({ from: { subscribe: own.subscribe } });
  },
  "every kind of server can be drained": async () => {
    const servers = [http.createServer(), http2.createServer(), http2.createSecureServer()];
    for (const server of servers) {
      const { refusedUploads, cutConnections }: DrainResult = await drain(server, { announceMs: 1 });
      if (isDraining(server)) return refusedUploads + cutConnections;
    }
    // @ts-expect-error: AttachableServer
    return drain(app);
  },
  "a policy that answers nonsense is an error": () => {
    // @ts-expect-error: number
    expectations({ policies: [() => 417] });
  },
  "a look-alike of an error's code is an error": () => {
    // @ts-expect-error: ERR_EXPECT_OPTIONS
    new ExpectationError("ERR_EXPECT_OPTIONS", "");
  },
  "beside a policy of the package, Express's request is no any": () => {
    // @ts-expect-error: nonsense
    app.put("/images/:id", expectations({ policies: [(req) => req.nonsense === 1, maxSize(1)] }), handler);
  },
  "an Express application is no server": () => {
    // @ts-expect-error: AttachableServer
    attach(app);
  },
  "a refusal cannot be changed": () => {
    // @ts-expect-error: read-only
    refuse(401).status = 403;
  },
  "authorize needs a challenge": () => {
    // @ts-expect-error: challenge
    authorize(() => true, {});
  },
};

const _policyOfExpress: Policy<Request<{ id: string }>> = (req) => req.params.id !== "";
void _policyOfExpress;
