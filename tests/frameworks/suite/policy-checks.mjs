// The policies of recipes/runtimes/policies.mjs, each with a request that it refuses; and the quota, which is used up.
import { Exchange } from "./exchange.mjs";

const GOOD = { Authorization: "Bearer yes", "Content-Type": "image/png", "Content-Length": "40000" };

const STEPS = [
  ["authorize", { Authorization: "Bearer no" }, "401"],
  ["mediaTypes", { "Content-Type": "text/html" }, "415"],
  ["knownLength", { "Content-Length": undefined, "Transfer-Encoding": "chunked" }, "411"],
  ["maxSize", { "Content-Length": "2000000" }, "413"],
  ["accepted", {}, "100, 201"],
  ["accepted again", {}, "100, 201"],
  ["quota", {}, "429"],
];

/** @returns what came instead, by the name of the policy. */
export async function runPolicyChecks(peer) {
  const found = {};
  for (const [name, fields, expected] of STEPS) {
    const exchange = await Exchange.open(peer);
    const lines = Object.entries({ ...GOOD, ...fields, Expect: "100-continue" }).filter(([, value]) => value);
    const head = lines.map(([field, value]) => `${field}: ${value}\r\n`).join("");
    exchange.send(`PUT /files/a HTTP/1.1\r\nHost: uploads.test\r\n${head}\r\n`);
    await exchange.until(() => exchange.statuses.length > 0);
    if (exchange.statuses[0] === 100) exchange.send(Buffer.alloc(40_000));
    await exchange.final();
    const statuses = exchange.statuses.join(", ");
    if (statuses !== expected) found[name] = statuses || "nothing";
    exchange.close();
  }
  found.process = peer.faultOf();
  return found;
}
