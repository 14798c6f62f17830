import * as http from "node:http";
import { describe, expect, test } from "@jest/globals";
import connect from "connect";
import express from "express";
import express4 from "express4";
import inject, { type DispatchFunc } from "light-my-request";
import { attach, ExpectationError, expectations, maxSize, silent, unguarded } from "../../../src/index.js";

const guard = expectations({ policies: [maxSize("1mb")], logger: silent }) as express.RequestHandler;
const other = expectations({ logger: silent }) as express.RequestHandler;
const save: express.RequestHandler = (_req, res) => void res.end();
const parser = express.raw();

type Framework = typeof express;
type Build = (app: express.Express, framework: Framework) => void;

function listed(framework: Framework, build: Build): string[] {
  const app = framework();
  build(app, framework);
  return texts(unguarded(app));
}

const texts = (routes: ReturnType<typeof unguarded>) => routes.map(({ method, path }) => `${method} ${path}`);

const GUARDED: Record<string, Build> = {
  "an application without routes": () => {},
  "a guard in the route": (app) => void app.put("/files/:id", parser, guard, save),
  "a guard in the route, in a list": (app) => void app.put("/files/:id", [parser, guard], save),
  "a guard for everything": (app) => {
    app.use(guard);
    app.put("/files/:id", save);
    app.post(/^\/pattern/, save);
  },
  "a guard for a prefix": (app) => {
    app.use("/files", guard);
    app.put("/files/:id", save);
    app.put(["/files", "/files/:id/parts"], save);
  },
  "a guard for all methods of a route": (app) => void app.route("/files").all(guard).put(save).post(save),
  "a guard in a route of its own": (app) => {
    app.put("/files/:id", guard);
    app.put("/files/:id", save);
  },
  "methods without content": (app) => {
    app.get("/files", save);
    app.head("/files", save);
    app.delete("/files", save);
    app.options("/files", save);
  },
  "a guard in front of a router": (app, { Router }) => {
    const router = Router();
    router.put("/:id", save);
    router.put(/^\/pattern/, save);
    app.use("/files", guard, router);
  },
  "a guard in front, for a path within a router": (app, { Router }) => {
    const router = Router();
    router.put("/files/:id", save);
    app.use("/api/files", guard);
    app.use("/api", router);
  },
  "a guard in a router": (app, { Router }) => {
    const router = Router();
    router.use(guard);
    router.put("/:id", save);
    app.use("/files", router);
  },
  "a guard in a router that comes before": (app, { Router }) => {
    const security = Router();
    security.use("/files", guard);
    app.use("/api", security);
    app.put("/api/files/:id", save);
  },
  "a router at a path with parameters": (app, { Router }) => {
    const router = Router({ mergeParams: true });
    router.put("/files", save);
    app.use("/users", guard);
    app.use("/users/:user", router);
  },
  "a pattern whose beginning is known": (app) => {
    app.use("/users", guard);
    app.put("lazyrouter" in app ? "/users/:id(\\d+)" : "/users/*rest", save);
  },
  "an application in a router": (app, framework) => {
    const files = framework();
    files.put("/:id", guard, save);
    const router = framework.Router();
    router.use("/files", files);
    app.use("/api", router);
  },
};

const UNGUARDED: Record<string, [routes: string[], build: Build]> = {
  "a route without a guard": [["PUT /files/:id"], (app) => void app.put("/files/:id", parser, save)],
  "a guard behind the handler": [["PUT /files"], (app) => void app.put("/files", save, guard)],
  "a guard that comes later": [
    ["PUT /files"],
    (app) => {
      app.put("/files", save);
      app.use(guard);
    },
  ],
  "a guard for another path": [
    ["PUT /files/:id", "POST /filesystem"],
    (app) => {
      app.use("/files/new", guard);
      app.put("/files/:id", save);
      app.use("/files", guard);
      app.post("/filesystem", save);
    },
  ],
  "a guard for another method": [
    ["POST /files", "PATCH /files"],
    (app) => {
      app.put("/files", guard);
      app.route("/files").put(save).post(save).patch(save);
    },
  ],
  "all methods": [
    ["* /files"],
    (app) => {
      app.put("/files", guard);
      app.all("/files", save);
    },
  ],
  "a guard for one of two paths": [["PUT /b"], (app) => void app.use("/a", guard).put(["/a", "/b"], save)],
  "a guard whose parameter has fewer segments": [
    ["PUT /:a/:b"],
    (app) => {
      app.all("/:a", guard);
      app.put("/:a/:b", save);
    },
  ],
  "a RegExp behind a guard for a path": [
    ["PUT /^\\/files/"],
    (app) => {
      app.use("/files", guard);
      app.put(/^\/files/, save);
    },
  ],
  "a pattern that only its beginning shares with a guard": [
    ["PUT /^\\/users/"],
    (app) => {
      app.all("/users", guard);
      app.put(/^\/users/, save);
      app.use("/users", guard);
    },
  ],
  "a guard at a RegExp that ends within a segment": [
    ["PUT /files"],
    (app) => void app.use(/^\/fi/, guard).put("/files", save),
  ],
  "routes in routers": [
    ["PUT /api/files/:id", "POST /api/deep/down"],
    (app, { Router }) => {
      const deep = Router();
      deep.post("/down", save);
      deep.put("/guarded", guard, save);
      const api = Router();
      api.put("/files/:id", save);
      api.use("/deep", deep);
      api.use(guard);
      app.use("/api", api);
    },
  ],
  "a router that is mounted in itself": [
    ["PUT /again/files"],
    (app, { Router }) => {
      const router = Router();
      router.put("/files", save);
      router.use("/again", router);
      app.use("/again", router);
    },
  ],
  "a guard for requests with Expect alone": [
    ["PUT /files"],
    (app) => {
      app.use(expectations({ applyTo: "expectations", logger: silent }) as express.RequestHandler);
      app.put("/files", save);
    },
  ],
  "a router that is mounted twice": [
    ["PUT /b/files"],
    (app, { Router }) => {
      const router = Router();
      router.put("/files", save);
      app.use("/a", guard, router);
      app.use("/b", router);
    },
  ],
  "a route that is there twice, once": [["PUT /files"], (app) => void app.put("/files", save).put("/files", save)],
};

describe.each([
  ["Express 4", express4 as unknown as Framework],
  ["Express 5", express],
])("%s", (name, framework) => {
  test.each(Object.entries(GUARDED))("lists no route: %s", (_what, build) => {
    expect(listed(framework, build)).toEqual([]);
  });

  test.each(Object.entries(UNGUARDED))("lists the routes: %s", (_what, [routes, build]) => {
    expect(listed(framework, build)).toEqual(routes);
  });

  const wildcard = name === "Express 4" ? "/files/*" : "/files/*path";
  const optional = name === "Express 4" ? "/files/:id?" : "/files{/:id}";

  test("knows wildcards and optional parts", () => {
    const build: Build = (app) => {
      app.all(wildcard, guard);
      app.put(wildcard, save);
      app.put(optional, save);
      app.use("/files", guard);
      app.post(optional, save);
    };
    expect(listed(framework, build)).toEqual([`PUT ${optional}`]);
  });

  test("reads a router", () => {
    const router = framework.Router();
    router.put("/files", save);
    expect(unguarded(router)).toEqual([{ method: "PUT", path: "/files" }]);
  });

  test("counts the guards that it gets, and no others", () => {
    const app = framework();
    app.put("/a", guard, save);
    app.put("/b", other, save);
    app.put("/c", parser, save);
    expect(texts(unguarded(app, guard))).toEqual(["PUT /b", "PUT /c"]);
    expect(texts(unguarded(app, [guard, parser]))).toEqual(["PUT /b"]);
  });

  test("reads mounted applications, in the place where they are mounted", () => {
    const [app, files, deep] = [framework(), framework(), framework()];
    files.put("/:id", save);
    deep.put("/down", save);
    files.use("/deep", deep);
    app.use("/early", files);
    app.use(guard);
    app.use("/late", framework().put("/:id", save));
    expect(() => unguarded([app, files])).toThrow('mounted at "/deep"');
    expect(() => unguarded([app, files, deep])).toThrow('mounted at "/late"');
    const late = framework();
    late.put("/:id", save);
    const whole = framework();
    whole.use("/", files);
    whole.use(guard);
    whole.use("/late", late);
    expect(texts(unguarded([late, deep, files, whole]))).toEqual(["PUT /:id", "PUT /deep/down"]);
  });

  test("reads an application that is mounted at several paths", () => {
    const [app, files, others] = [framework(), framework(), framework()];
    files.put("/:id", save);
    others.put("/:id", guard, save);
    app.use(["/files", "/images"], files);
    app.use("/:any", others);
    const listed = texts(unguarded([app, others, files]));
    expect(listed).toEqual(
      name === "Express 4" ? [expect.stringMatching(/^PUT /)] : ["PUT /files/:id", "PUT /images/:id"],
    );
  });

  test("reads applications that nothing mounts", () => {
    const [one, two] = [framework(), framework()];
    one.put("/one", save);
    two.put("/two", save);
    expect(texts(unguarded([one, two]))).toEqual(["PUT /one", "PUT /two"]);
  });

  test("does not run anything of the application, and leaves it as it is", async () => {
    const calls: string[] = [];
    const app = framework();
    app.use((_req, _res, next) => {
      calls.push("use");
      next();
    });
    app.put("/files/:id", (req, res) => void res.send(req.params.id));
    unguarded(app);
    expect(calls).toEqual([]);
    const answer = await inject(app as unknown as DispatchFunc, { method: "PUT", url: "/files/7" });
    expect(answer.payload).toBe("7");
  });
});

const MISTAKES: Record<string, [call: () => unknown, message: RegExp]> = {
  nothing: [() => unguarded(undefined as never), /unguarded\(app\): received undefined; expected an application/],
  "an empty list": [() => unguarded([]), /unguarded\(app\): received an array/],
  "a handler": [() => unguarded(save), /unguarded\(app\): received a function \(save\)/],
  "a server": [() => unguarded(attach(http.createServer())), /a server does not tell what runs behind it/],
  Connect: [() => unguarded(connect()), /Connect has no routes that can be listed/],
  "a stack of something else": [() => unguarded({ stack: [{}], use() {} }), /received an object/],
  "no guards": [() => unguarded(express(), []), /expected one guard or more/],
  "a guard that is none": [() => unguarded(express(), {}), /unguarded\(app, guards\): received an object/],
  "a factory": [() => unguarded(express(), expectations), /expectations was passed without being called/],
};

test.each(Object.entries(MISTAKES))("throws for %s", (_what, [call, message]) => {
  expect(call).toThrow(ExpectationError);
  expect(call).toThrow(message);
  expect(call).toThrow(expect.objectContaining({ code: "ERR_EXPECT_OPTION" }));
});

test("says which router it needs where an older one does not tell the path of a mounted router", () => {
  const inner = express.Router();
  inner.put("/files", save);
  const app = express();
  app.use("/api", inner);
  for (const layer of app.router.stack as { rawPath?: unknown }[]) delete layer.rawPath;
  expect(() => unguarded(app)).toThrow("expected router 2.3 or later");
});
