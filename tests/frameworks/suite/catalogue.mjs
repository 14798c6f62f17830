// Every framework in the way that its users write it: one recipe each, and what the twelve checks may find.
//
// `deviations` names checks that the set-up does not pass, and why. A run fails if it finds another deviation, or if a
// check passes that has one here.

const READS_FIRST = "The parser stands in front of the route and reads first, so the 100 goes out before the response.";

const BODY_READS =
  "`body` of a web request begins to read when it is accessed, and that sends the 100. Access it when you want the content, and not before.";
const PARSES_FIRST =
  "hapi sends the 100 before it calls a handler. Respond earlier, in a guard or in an extension up to `onPreAuth`.";

const IMMEDIATELY = "The guard sends the 100 when it accepts, before the application sees the request.";
const NO_LATE_100 =
  "Deno 2.9 keeps a 100 of HTTP/2 back if somebody has begun to read, with or without this package. With this option the guard sends the 100 before anything reads.";

const text = {
  type: "text/plain",
  isText: true,
};

/** @type {readonly { name: string, recipe: string, packages: string[], isShort?: boolean, helper?: string, aliases?: Record<string, string>, needs?: number, warmUp?: boolean, upload?: object, deviations?: Record<string, string>, note?: string }[]} */
export const FRAMEWORKS = [
  ...["5", "4"].flatMap((major) => [
    express(major, "middleware", "middleware"),
    express(major, "`attach(server, { guard })`", "attach-guard"),
    express(major, "`autoAttach`", "auto-attach", {
      warmUp: true,
      note: "The guard attaches the server when it gets its first request. Node has sent that one's 100 by then, so the checks come second. Prefer `attach(app.listen(port))`.",
    }),
    express(major, "sub-application", "sub-app"),
    express(major, "`vhost`", "vhost", { packages: ["vhost"] }),
    express(major, "`Router`", "router"),
    express(major, "`express.raw` for all routes", "parser-first", {
      deviations: { 404: READS_FIRST, throw: READS_FIRST, early: READS_FIRST },
    }),
  ]),
  { name: "Connect 3", recipe: "connect.mjs", packages: ["connect"], isShort: true },
  { name: "Fastify 5", recipe: "fastify.mjs", packages: ["fastify"], isShort: true },
  { name: "Fastify 5, `onRequest` hook", recipe: "fastify-hook.mjs", packages: ["fastify"], isShort: true },
  { name: "Koa 3", recipe: "koa.mjs", packages: ["koa", "@koa/router"], isShort: true },
  {
    name: "Koa 3, guard for a route",
    recipe: "koa-middleware.mjs",
    helper: "koa-guard.mjs",
    packages: ["koa", "@koa/router"],
    isShort: true,
  },
  {
    name: "Koa 3, `koa-body` for all routes",
    recipe: "koa-body.mjs",
    packages: ["koa", "koa-body"],
    upload: text,
    deviations: { 404: READS_FIRST, throw: READS_FIRST, early: READS_FIRST },
  },
  {
    name: "Hono 4",
    recipe: "hono.mjs",
    packages: ["hono", "@hono/node-server"],
    isShort: true,
    deviations: { early: BODY_READS },
  },
  {
    name: "Hono 4, guard for a route",
    recipe: "hono-middleware.mjs",
    helper: "hono-guard.mjs",
    packages: ["hono", "@hono/node-server"],
    isShort: true,
    deviations: { early: BODY_READS },
  },
  { name: "h3 2", recipe: "h3.mjs", packages: ["h3"], isShort: true, deviations: { early: BODY_READS } },
  {
    name: "NestJS 12, Express",
    recipe: "nest-express.ts",
    helper: "nest-files.ts",
    packages: ["@nestjs/core", "@nestjs/platform-express"],
    upload: { accepted: 200, early: 200 },
  },
  {
    name: "NestJS 12, Fastify",
    recipe: "nest-fastify.ts",
    helper: "nest-files.ts",
    packages: ["@nestjs/core", "@nestjs/platform-fastify"],
    upload: { accepted: 200, early: 200 },
  },
  {
    name: "Next.js 16, custom server",
    recipe: "next/server.mjs",
    helper: "next/app/files/[name]/route.js",
    packages: ["next"],
  },
  { name: "Restify 12", recipe: "restify.mjs", packages: ["restify"], needs: 22 },
  {
    name: "hapi 21",
    recipe: "hapi.mjs",
    packages: ["@hapi/hapi"],
    isShort: true,
    deviations: { throw: PARSES_FIRST, early: PARSES_FIRST },
  },
  { name: "Polka 0.5", recipe: "polka.mjs", packages: ["polka"], isShort: true },
  {
    name: "Apollo Server 5, on Express 5",
    recipe: "apollo.mjs",
    packages: ["@apollo/server", "@as-integrations/express5"],
    upload: {
      method: "POST",
      type: "application/json",
      isText: true,
      pathOf: () => "/graphql",
      encode: (name, content) =>
        JSON.stringify({
          query: "mutation ($name: String!, $text: String!) { save(name: $name, text: $text) }",
          variables: { name, text: content.toString() },
        }),
      accepted: 200,
      thrown: 200,
      early: 200,
    },
    deviations: {
      throw: "GraphQL reads the content before it can call a resolver.",
      early: "GraphQL reads the content before it can call a resolver.",
    },
  },
];

function express(major, way, recipe, { packages = [], ...rest } = {}) {
  return {
    name: `Express ${major}, ${way}`,
    recipe: `express/${recipe}.mjs`,
    packages: [major === "4" ? "express4" : "express", ...packages],
    ...(major === "4" && { aliases: { express: "express4" } }),
    isShort: true,
    ...rest,
  };
}

/** What runs on other runtimes than Node. */
export const ON_RUNTIMES = [
  { name: "Express 5, middleware", recipe: "express/middleware.mjs" },
  { name: "Express 5, `attach(server, { guard })`", recipe: "express/attach-guard.mjs" },
  { name: "Express 5, `autoAttach`", recipe: "express/auto-attach.mjs", warmUp: true },
  { name: "Express 5, `https`", recipe: "runtimes/https.mjs", isTls: true },
  { name: "`http2`", recipe: "runtimes/http2.mjs", isTls: true, checks: "http2", isNotFor: "Deno" },
  {
    name: '`http2`, `continueTiming: "immediately"`',
    recipe: "runtimes/http2-immediately.mjs",
    isTls: true,
    checks: "http2",
    deviations: { 404: IMMEDIATELY, throw: IMMEDIATELY, early: IMMEDIATELY },
    note: NO_LATE_100,
    isNotFor: "Bun",
  },
  { name: "policies and `quota`", recipe: "runtimes/policies.mjs", checks: "policies" },
];

/** Proxies written in Node, in front of an origin. */
export const NEIGHBOURS = [
  {
    name: "http-proxy-middleware 4",
    recipe: "neighbours/http-proxy-middleware.mjs",
    packages: ["http-proxy-middleware"],
    needs: 22,
  },
  {
    name: "http-proxy-middleware 3",
    recipe: "neighbours/http-proxy-middleware.mjs",
    packages: ["http-proxy-middleware3"],
    aliases: { "http-proxy-middleware": "http-proxy-middleware3" },
  },
  { name: "http-proxy-3 2", recipe: "neighbours/http-proxy-3.mjs", packages: ["http-proxy-3"], needs: 22 },
].map((setup) => ({ ...setup, origin: "express/middleware.mjs" }));

/** Test files, each a program of its own: what works for those who test their application. */
export const TESTS = [
  { name: "handshake, by `node:http`", recipe: "doubles/handshake.test.mjs", packages: ["express"], isShort: true },
  { name: "`unguarded`", recipe: "doubles/unguarded.test.mjs", packages: ["express"], isShort: true },
  { name: "supertest", recipe: "doubles/supertest.test.mjs", packages: ["supertest"] },
  { name: "light-my-request", recipe: "doubles/light-my-request.test.mjs", packages: ["light-my-request"] },
  {
    name: "serverless-http, serverless-express, node-mocks-http",
    recipe: "doubles/serverless.test.mjs",
    packages: ["serverless-http", "@codegenie/serverless-express", "node-mocks-http"],
  },
  { name: "nock", recipe: "doubles/nock.test.mjs", packages: ["nock"], needs: 22 },
  { name: "msw", recipe: "doubles/msw.test.mjs", packages: ["msw"], needs: 22 },
  { name: "`mock.timers` of `node:test`", recipe: "doubles/node-timers.test.mjs", packages: [], isShort: true },
  { name: "fake timers of vitest", recipe: "doubles/vitest-timers.spec.mjs", packages: [] },
  {
    name: "Deno's own late 100 over HTTP/2 is as described above",
    recipe: "runtimes/late-continue.mjs",
    packages: [],
    runtime: "Deno",
    isTls: true,
    checks: "late 100",
  },
  { name: "`attach(Bun.serve())` throws", recipe: "runtimes/serve.mjs", packages: [], runtime: "Bun" },
  { name: "`attach(Deno.serve())` throws", recipe: "runtimes/serve.mjs", packages: [], runtime: "Deno" },
  { name: "undici 8, as a client", recipe: "neighbours/undici.test.mjs", packages: ["undici"], needs: 22, isTls: true },
  { name: "got 16, as a client", recipe: "neighbours/got.test.mjs", packages: ["got"], needs: 22 },
];
