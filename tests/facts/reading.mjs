// How Node's request streams behave: docs/facts.md, "Node: request streams".
import * as http from "node:http";
import { pipeline, Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { closeAll, connect, exchange, fact, listen, PLAIN, statusesOf, UPLOAD, until } from "./fact.mjs";

const withListener = (listener) => http.createServer(() => {}).on("checkContinue", listener);

{
  const flowing = {};
  for (const way of ["read", "resume"]) {
    const server = withListener((req, res) => {
      req._read = () => {
        flowing[way] = req.readableFlowing;
      };
      req[way]();
      setTimeout(50).then(() => res.end());
    });
    await exchange(await listen(server), UPLOAD);
  }
  const isTold = flowing.read === null && flowing.resume === true;
  fact(
    "`read()` and `resume()` both call `_read`; `readableFlowing` tells them apart",
    isTold,
    JSON.stringify(flowing),
  );
}
{
  const seen = {};
  for (const isComplete of [false, true]) {
    const server = withListener((req, res) => {
      req.on("end", () => setTimeout(20).then(() => res.writeHead(403).end()));
      req.resume();
      if (isComplete) req.complete = true;
      req.push(null);
    });
    seen[`complete: ${isComplete}`] = statusesOf(await exchange(await listen(server), UPLOAD))[0] ?? "no answer";
  }
  const isNeeded = seen["complete: false"] === "no answer" && seen["complete: true"] === 403;
  fact("a request that ends without `complete` takes its socket with it", isNeeded, JSON.stringify(seen));
}
{
  const sockets = [];
  const server = http.createServer((req, res) => {
    req.on("error", () => {});
    res.on("error", () => {});
    const broken = new Writable({ write: (_chunk, _encoding, done) => done(new Error("full")) });
    pipeline(req, broken, () => setTimeout(20).then(() => sockets.push(req.socket)));
  });
  await exchange(await listen(server), `${PLAIN.replace("5", "500000")}${"x".repeat(1_000)}`);
  fact(
    "a `pipeline` that fails sets `req.socket` to null",
    sockets[0] === null,
    sockets.map((one) => one && "a socket").join() || "null",
  );
}
{
  const results = [];
  const server = http.createServer((req) => {
    req.on("error", () => {});
    req.complete = true;
    const { push } = req;
    push.call(req, null);
    req.push = (chunk) => {
      const result = push.call(req, chunk);
      if (chunk) results.push(result);
      return result;
    };
  });
  await exchange(await listen(server), [PLAIN, "hello"]);
  fact("after `push(null)` a late `push` returns false, which stops the parser", `${results}` === "false", results);
}
{
  let isAsked = false;
  let connection;
  const server = http.createServer(() => {});
  server.on("checkContinue", async (req, res) => {
    const read = req._read;
    req._read = function (size) {
      isAsked = true;
      read.call(this, size);
    };
    await until(() => req.complete, 1_000);
    req.on("data", () => {});
    req.on("end", () => {
      res.writeHead(201, { "Content-Length": 0 }).end();
      connection = res.getHeader("connection");
    });
  });
  const wire = await exchange(await listen(server), `${UPLOAD}hello`);
  connection ??= /connection: (\S+)/i.exec(wire.text)?.[1];
  fact(
    "content that came whole during the decision never calls `_read`, and Node closes after the success",
    !isAsked && connection === "close",
    `_read: ${isAsked ? "called" : "not called"}; Connection: ${connection}`,
  );
}
{
  const bytes = {};
  for (const way of ["destroy", "own _destroy"]) {
    const server = http.createServer((req, res) => {
      req.on("error", () => {});
      if (way === "own _destroy") req._destroy = (_error, done) => done(null);
      req.destroy(new Error("too large"));
      setTimeout(20).then(() => res.writeHead(413, { Connection: "close" }).end());
    });
    const wire = await connect(await listen(server));
    wire.socket.write(PLAIN);
    await setTimeout(200);
    bytes[way] = statusesOf(wire)[0] ?? wire.end;
    wire.socket.destroy();
  }
  fact(
    "`req.destroy()` takes the socket with it; an own `_destroy` leaves it",
    bytes.destroy !== 413 && bytes["own _destroy"] === 413,
    JSON.stringify(bytes),
  );
}
closeAll();
