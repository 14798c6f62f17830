// What Node does with a connection after a final status: docs/facts.md, "Node: refused connections".
import * as http from "node:http";
import { setTimeout } from "node:timers/promises";
import { closeAll, connect, exchange, fact, GET, LINE, listen, PLAIN, statusesOf, UPLOAD, until } from "./fact.mjs";

const connectionOf = ({ text }) => /connection: (\S+)/i.exec(text)?.[1];

/** A server that notes what is dispatched, and that refuses what expects a 100. */
function refuser(fields = {}) {
  const seen = [];
  const server = http.createServer((req, res) => {
    seen.push(`${req.method} ${req.url}`);
    req.resume();
    res.end();
  });
  server.on("checkContinue", (_req, res) => void res.writeHead(417, { "Content-Length": 0, ...fields }).end());
  return { server, seen };
}

{
  const { server } = refuser();
  const wire = await exchange(await listen(server), UPLOAD);
  fact(
    "a final status without a 100 says `close` if the value matched",
    connectionOf(wire) === "close",
    connectionOf(wire),
  );
}
{
  const { server } = refuser({ Connection: "keep-alive" });
  const wire = await exchange(await listen(server), UPLOAD);
  const seen = `${connectionOf(wire)}, ${wire.end}`;
  fact("`Connection: keep-alive` set by anyone prevents that", seen === "keep-alive, open", seen);
}
{
  const { server, seen } = refuser();
  const port = await listen(server);
  // The head of the next request is longer than the five missing bytes: the server reads them from it.
  const wire = await exchange(port, [UPLOAD.replace("100-continue", "tea"), `POST /next HTTP/1.1\r\nHost: a\r\n\r\n`]);
  fact(
    "Node's own 417 keeps the connection, and the next request is read as the missing body",
    connectionOf(wire) === "keep-alive" && statusesOf(wire)[0] === 417 && !seen.includes("POST /next"),
    `Connection: ${connectionOf(wire)}; statuses ${statusesOf(wire)}; dispatched: ${seen.join() || "nothing"}`,
  );
}
{
  const { server, seen } = refuser();
  await exchange(await listen(server), `${UPLOAD}hello${GET}`);
  fact("a request pipelined after a refused one is dispatched", seen.includes("GET /next"), seen);
}
{
  const events = [];
  const server = http.createServer(async (req, res) => {
    req.resume();
    events.push(`${req.method} begins`);
    if (req.method === "PUT") await setTimeout(100);
    events.push(`${req.method} is decided`);
    res.end();
  });
  await exchange(await listen(server), `${PLAIN}hello${GET}`, 300);
  fact("the next request runs before an asynchronous decision", events[1] === "GET begins", events.join(", "));
}
{
  const seen = [];
  const server = http.createServer((req) => {
    seen.push(req.method);
    req.socket.destroy();
  });
  await exchange(await listen(server), `${PLAIN}hello${GET}${GET}`);
  fact("the rest of a packet is dispatched after `socket.destroy()`", seen.length > 1, seen);
}
{
  const read = {};
  for (const isResumed of [false, true]) {
    const server = http.createServer((req, res) => {
      if (req.url === "/dropped" && isResumed) req.resume();
      if (req.url === "/") res.writeHead(403, { Connection: "close" }).flushHeaders();
    });
    const sockets = [];
    server.on("connection", (socket) => sockets.push(socket));
    const wire = await connect(await listen(server));
    wire.socket.write(`${PLAIN}helloPUT /dropped HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n`);
    wire.socket.write(Buffer.alloc(4_000_000));
    await until(() => sockets[0]?.bytesRead > 4_000_000, 500);
    read[isResumed ? "resumed" : "left"] = sockets[0].bytesRead;
    wire.socket.destroy();
  }
  fact(
    "a pipelined request that nobody reads stalls the connection",
    read.left < 1_000_000 && read.resumed > 4_000_000,
    `bytes read: ${JSON.stringify(read)}`,
  );
}
{
  const { server } = refuser();
  const wire = await exchange(await listen(server), "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n");
  fact("Node answers a request without `Host` by itself", `${statusesOf(wire)}` === "200,400", statusesOf(wire));
}
{
  let didRun = false;
  let calledBack = false;
  const server = http.createServer(() => {
    didRun = true;
  });
  let isDone = false;
  server.on("checkContinue", async (req, res) => {
    await until(() => req.socket.destroyed);
    server.emit("request", req, res);
    res.writeContinue(() => {
      calledBack = true;
    });
    await setTimeout(100);
    isDone = true;
  });
  await exchange(await listen(server), UPLOAD, 50);
  await until(() => isDone);
  fact(
    "after a client has left the handler still runs, and `writeContinue` never calls back",
    didRun && !calledBack,
    `the handler ran: ${didRun}; called back: ${calledBack}`,
  );
}
{
  const codes = [];
  const server = http.createServer((req) => req.resume());
  server.on("clientError", ({ code }) => codes.push(code));
  const wire = await connect(await listen(server));
  wire.socket.write(PLAIN);
  await setTimeout(50);
  wire.socket.end();
  await until(() => codes.length > 0);
  fact(
    "a client that ends in the middle of its content raises `clientError`",
    codes[0] === "HPE_INVALID_EOF_STATE",
    codes,
  );
}

const UPGRADE = "PUT / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\nContent-Length: 5\r\n\r\n";

{
  const { server, seen } = refuser();
  await exchange(await listen(server), `${UPGRADE}hello${GET}`);
  fact("bytes in the packet of an `Upgrade` that nobody takes up are dropped", `${seen}` === "PUT /", seen);
}
{
  let seen;
  const server = http.createServer().on("upgrade", (_req, socket) => {
    seen = `${socket.constructor.name}, destroySoon: ${typeof socket.destroySoon}`;
    socket.destroy();
  });
  await exchange(await listen(server), `${UPGRADE}hel`);
  fact(
    "from 26 on an upgrade with an unfinished body comes with an `UpgradeStream`, without `destroySoon`",
    seen === (LINE < 26 ? "Socket, destroySoon: function" : "UpgradeStream, destroySoon: undefined"),
    seen,
  );
}
{
  let seen = "nothing dispatched";
  const server = http.createServer((req, res) => {
    seen = `Content-Length: ${req.headers["content-length"]}`;
    req.on("data", (chunk) => {
      seen += `, content: ${chunk}`;
    });
    req.on("end", () => res.end());
  });
  const head = `PUT / HTTP/1.1\r\nHost: a\r\n${"X: z\r\n".repeat(1_100)}Content-Length: 5\r\n\r\n`;
  const statuses = statusesOf(await exchange(await listen(server), `${head}hello`));
  fact(
    "fields beyond `maxHeadersCount` are missing on 20, where the parser still frames by them; from 22 on they get 431",
    LINE < 22 ? seen === "Content-Length: undefined, content: hello" : `${statuses}` === "431",
    `${seen}; ${statuses}`,
  );
}
{
  const counts = [];
  const server = http.createServer((req, res) => {
    counts.push(req.rawHeaders.length / 2);
    res.end();
  });
  const port = await listen(server);
  const statuses = [];
  for (const [limit, fields] of [
    [5, 5],
    [5, 45],
    [62, 62],
    [62, 70],
    [64, 100],
  ]) {
    server.maxHeadersCount = limit;
    const head = `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${"X: z\r\n".repeat(fields - 2)}\r\n`;
    statuses.push(...statusesOf(await exchange(port, head)));
  }
  fact(
    "20 takes fields in batches of 31, and stops with the batch that reaches `maxHeadersCount`",
    LINE < 22 ? `${counts}` === "5,31,62,62,93" : `${statuses}` === "200,431,200,431,431",
    `${counts}; ${statuses}`,
  );
}
{
  const ends = {};
  for (const [what, packet] of Object.entries({ silent: undefined, begun: "GET / HT", used: GET })) {
    const server = http.createServer((_req, res) => res.end());
    const wire = await connect(await listen(server));
    if (packet) wire.socket.write(packet);
    await setTimeout(100);
    server.close();
    await setTimeout(100);
    ends[what] = wire.end;
    wire.socket.destroy();
  }
  const expected = { silent: LINE < 26 ? "open" : "closed", begun: "open", used: "closed" };
  fact(
    "`close()` ends a connection that was used and is idle, and since 26 one that has not sent a byte",
    JSON.stringify(ends) === JSON.stringify(expected),
    JSON.stringify(ends),
  );
}
closeAll();
