// A server whose handler keeps its responses; run by tests/wire/shape.test.ts in a process of its own, since V8 remembers
// no more than 256 prototypes that were set on objects of one hidden class, and gives each object behind them its own.
// Prints whether the responses share one hidden class.

import { once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";
import * as v8 from "node:v8";
import { attach, expectations, maxSize, silent } from "./src/index.js";

v8.setFlagsFromString("--allow-natives-syntax");
const haveSameHiddenClass = new Function("a", "b", "return %HaveSameMap(a, b)");
v8.setFlagsFromString("--no-allow-natives-syntax");

const { default: express } = await import(process.argv[2]);
const responses = [];
const app = express();
app.put("/files", expectations({ logger: silent, policies: [maxSize("1mb")] }), (_req, res) => responses.push(res));
const server = attach(http.createServer(app), { logger: silent }).listen(0, "127.0.0.1");
await once(server, "listening");
for (let i = 0; i < 4; i++) {
  const arrived = once(server, "request");
  const client = net.connect(server.address().port, "127.0.0.1");
  client.write("PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  await arrived;
}
for (const res of responses) {
  res.statusCode = 201;
  res.statusMessage = "Created";
}
// The first one of a process is laid out before V8 knows what is to come.
const [, second, ...others] = responses;
console.log(JSON.stringify(others.map((other) => haveSameHiddenClass(second, other))));
process.exit();
