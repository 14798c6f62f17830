// What Node does on HTTP/2: docs/facts.md, "Node: HTTP/2".
import { once } from "node:events";
import * as http2 from "node:http2";
import { setTimeout } from "node:timers/promises";
import { closeAll, fact, listen } from "./fact.mjs";

const sessions = [];

async function connect(server) {
  const session = http2.connect(`http://127.0.0.1:${await listen(server)}`);
  sessions.push(session);
  await once(session, "connect");
  return session;
}

/** A PUT that withholds its content, and its status. */
async function upload(session, fields = {}) {
  const stream = session.request({ ":method": "PUT", ...fields }, { endStream: false });
  stream.on("error", () => {});
  stream.resume();
  const [headers] = await Promise.race([once(stream, "response"), setTimeout(300, [{}])]);
  return { stream, status: headers[":status"] };
}

{
  const events = [];
  const server = http2.createServer((_req, res) => res.end());
  server.on("checkContinue", (req, res) => {
    events.push(req.headers.expect);
    res.end("");
  });
  const session = await connect(server);
  const statuses = [];
  for (const expect of ["100-continue", "100-Continue"]) statuses.push((await upload(session, { expect })).status);
  fact(
    "the value is compared by `===`",
    `${events}` === "100-continue" && `${statuses}` === "200,417",
    `${events}; ${statuses}`,
  );
}
{
  let isCalled = false;
  const server = http2.createServer();
  server.on("checkContinue", () => {
    isCalled = true;
  });
  await upload(await connect(server), { expect: "100-continue" });
  fact("`checkContinue` is not emitted without a `request` listener", !isCalled, isCalled ? "emitted" : "not emitted");
}
{
  const ways = { "end()": [], 'end("")': [""], 'end("no")': ["no"] };
  const closed = {};
  for (const [way, args] of Object.entries(ways)) {
    const streams = [];
    const server = http2.createServer((_req, res) => {
      streams.push(res.stream);
      res.statusCode = 403;
      res.end(...args);
    });
    await upload(await connect(server));
    await setTimeout(100);
    closed[way] = streams[0].closed;
  }
  fact(
    'a refusal by `end()` leaves its stream open, one by `end("")` or with a body closes it',
    `${Object.values(closed)}` === "false,true,true",
    JSON.stringify(closed),
  );
}
{
  const streams = [];
  const server = http2.createServer((req, res) => {
    streams.push(res.stream);
    req.resume();
    res.writeHead(403).end("");
  });
  await upload(await connect(server));
  await setTimeout(100);
  fact("`req.resume()` keeps the stream open", !streams[0].closed, streams[0].closed ? "closed" : "open");
}
{
  const seen = {};
  const server = http2.createServer((req, res) => {
    res.stream.on("finish", () => {
      seen[req.method] = true;
    });
    res.end("");
  });
  const session = await connect(server);
  for (const method of ["PUT", "HEAD"]) await upload(session, { ":method": method });
  await setTimeout(100);
  fact("the stream of a response to HEAD never emits `finish`", seen.PUT && !seen.HEAD, JSON.stringify(seen));
}
{
  let thrown = "nothing";
  const server = http2.createServer((req, res) => {
    try {
      req.complete = true;
    } catch ({ name }) {
      thrown = name;
    }
    res.end("");
  });
  await upload(await connect(server));
  fact("`req.complete` cannot be set", thrown === "TypeError", `throws ${thrown}`);
}
{
  const events = [];
  const server = http2.createServer((req) => {
    for (const event of ["end", "aborted"])
      req.on(event, () => events.push(`${event} (aborted: ${req.stream.aborted})`));
    req.resume();
  });
  const session = await connect(server);
  const { stream } = await upload(session);
  stream.write("part");
  await setTimeout(50);
  // Not `stream.close()`: Node's client ends the content before it resets the stream.
  session.destroy();
  await setTimeout(100);
  fact(
    "the content of a client that leaves emits `end` like any other; `aborted` is true by then",
    `${events}` === "aborted (aborted: true),end (aborted: true)",
    events.join(", "),
  );
}
{
  const [goaways, statuses] = [[], []];
  let serverSession;
  const server = http2.createServer((_req, res) => res.end("seen"));
  server.on("session", (session) => {
    serverSession = session;
  });
  const session = await connect(server);
  // The listener of Node's client closes the session. This one lets another request through.
  session.close = () => {};
  session.on("goaway", (_code, last) => goaways.push(last));
  serverSession.goaway(0, 2 ** 31 - 1);
  const stream = session.request({ ":path": "/crossing" });
  stream.on("error", () => {}).on("response", ({ ":status": status }) => statuses.push(status));
  await setTimeout(300);
  fact(
    "a request that crosses a GOAWAY is ignored, although that excludes none",
    `${goaways}` === `${2 ** 31 - 1}` && statuses.length === 0,
    `GOAWAY with ${goaways}; responses: ${statuses.length}`,
  );
}
for (const session of sessions) session.destroy();
closeAll();
