// What `requestTimeout` does to uploads: docs/facts.md, "requestTimeout".
import * as http from "node:http";
import { setTimeout } from "node:timers/promises";
import { closeAll, connect, fact, GET, listen, PLAIN, statusesOf, UPLOAD, until } from "./fact.mjs";

const TIMES = { requestTimeout: 500, headersTimeout: 500, connectionsCheckingInterval: 50 };

function store(req, res) {
  req.resume();
  req.on("end", () => res.end());
}

/** Sends the head, then five bytes of content, `pause` apart, then one more request. */
async function drip(server, head, pause) {
  const wire = await connect(await listen(server));
  wire.socket.write(head);
  for (const byte of "hello") {
    await setTimeout(pause);
    if (wire.end === "open") wire.socket.write(byte);
  }
  await setTimeout(200);
  if (wire.end === "open") wire.socket.write(GET);
  await setTimeout(200);
  wire.socket.destroy();
  return wire;
}

{
  const statuses = statusesOf(await drip(http.createServer(TIMES, store), PLAIN, 200));
  fact("content that drips in gets 408 at `requestTimeout`", `${statuses}` === "408", statuses);
}
{
  const server = http.createServer(TIMES, store);
  const wire = await connect(await listen(server));
  wire.socket.write(UPLOAD);
  await setTimeout(1_000);
  wire.socket.destroy();
  fact(
    "a client that gets a 100 and sends nothing gets 408 at `requestTimeout`",
    `${statusesOf(wire)}` === "100,408",
    statusesOf(wire),
  );
}
{
  const server = http.createServer({ ...TIMES, requestTimeout: 0, headersTimeout: 0 }, store);
  const wire = await connect(await listen(server));
  wire.socket.write(UPLOAD);
  await setTimeout(1_000);
  wire.socket.destroy();
  fact("with `requestTimeout: 0` it waits forever", `${statusesOf(wire)}` === "100", statusesOf(wire));
}
{
  const codes = [];
  const server = http.createServer(TIMES, store);
  server.on("clientError", ({ code }) => codes.push(code));
  const statuses = statusesOf(await drip(server, PLAIN, 200));
  fact(
    "a `clientError` listener that ignores it leaves the upload and its connection whole",
    `${codes}` === "ERR_HTTP_REQUEST_TIMEOUT" && `${statuses}` === "200,200",
    `reported: ${codes}; statuses: ${statuses}`,
  );
}
{
  const codes = [];
  const server = http.createServer(TIMES, store);
  server.on("clientError", ({ code }) => codes.push(code));
  const wire = await connect(await listen(server));
  for (const head of [PLAIN, PLAIN]) {
    const before = codes.length;
    wire.socket.write(`${head}he`);
    await until(() => codes.length > before);
    wire.socket.write("llo");
    await setTimeout(100);
  }
  wire.socket.write(GET.slice(0, 12));
  await until(() => codes.length === 3);
  await setTimeout(1_000);
  wire.socket.destroy();
  fact(
    "each request on a connection is reported, once, and so is a header section that does not come",
    `${[...new Set(codes)]}` === "ERR_HTTP_REQUEST_TIMEOUT" &&
      codes.length === 3 &&
      `${statusesOf(wire)}` === "200,200",
    `reported: ${codes}; statuses: ${statusesOf(wire)}`,
  );
}
closeAll();
