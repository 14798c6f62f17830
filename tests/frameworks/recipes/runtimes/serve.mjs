import assert from "node:assert/strict";
import { attach } from "express-expectations";

// What the runtime's own server gets: an error that says what to do.
const handler = () => new Response("hello");
const [name, server] = globalThis.Bun
  ? ["Bun", Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: handler })]
  : ["Deno", Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler)];
assert.throws(() => attach(server), {
  code: "ERR_EXPECT_OPTION",
  message: new RegExp(`${name}\\.serve\\(\\) sends the 100 .*: pass a server of node:http's createServer\\(\\)`),
});
process.exit();
