// Plays the client of a cell and keeps what came back.
import * as http2 from "node:http2";
import inject from "light-my-request";
import { parseResponses } from "../fuzz/responses.mjs";
import { patiently, settled } from "../helpers/patience.mjs";
import { openTransport } from "../helpers/transports.mjs";
import { contentOf } from "./content.mjs";

/** How long anything may take. Lingering and a stopped upload end within a second. */
export const DEADLINE_MS = 4_000;

/** Plays the request of a cell. Returns `{ responses, faults, isTruncated }`. */
export function play(cell, started) {
  if (cell.way === "injected") return playInjected(cell, started);
  const { port, server } = started;
  const transport = openTransport(cell.protocol, cell.way === "duplex" ? { server } : { port });
  return isHttp2(cell) ? playHttp2(cell, started, transport) : playHttp1(cell, started, transport);
}

/** One request without content, as a server's first. */
export async function warmUp(cell, { port }) {
  const transport = openTransport(cell.protocol, { port });
  await transport.ready;
  if (isHttp2(cell)) {
    const session = connectHttp2(transport);
    await nextOn(session);
    session.close();
  } else {
    transport.stream.on("data", () => transport.stream.end());
    transport.stream.write("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  await patiently(() => transport.raw.destroyed, DEADLINE_MS);
}

const isHttp2 = ({ protocol }) => protocol === "h2c" || protocol === "h2";

/** What a client does, by the name of the dimension. */
export function clientOf({ client }) {
  return {
    waits: client.startsWith("waits"),
    expects: client.startsWith("waits") || client === "pushes Expect" || client === "HTTP/1.0",
    isChunked: client.endsWith("chunked"),
    version: client === "HTTP/1.0" ? "1.0" : "1.1",
  };
}

function fieldsOf(cell, length) {
  const { expects, isChunked } = clientOf(cell);
  return {
    "content-type": cell.reader === "express.json" ? "application/json" : "text/plain",
    ...(isChunked ? {} : { "content-length": String(length) }),
    ...(expects ? { expect: "100-continue" } : {}),
    ...(cell.writer === "patched prototype" ? { "x-patched": "1" } : {}),
  };
}

const pathOf = ({ way }) => (way === "re-emitted" ? "/old" : "/cell");

// HTTP/1

const METHODS = ["PUT", "GET"];

async function playHttp1(cell, { observed }, transport) {
  const { stream } = transport;
  const { waits, isChunked, version } = clientOf(cell);
  const content = contentOf(cell);
  const body = isChunked ? `${content.length.toString(16)}\r\n${content}\r\n0\r\n\r\n` : content;
  const seen = { responses: [], faults: [], isTruncated: false };
  let text = "";
  let hasEnded = false;
  const parse = () => {
    const { responses, fault, isTruncated } = parseResponses(text, (i) => METHODS[i], hasEnded);
    seen.responses = responses;
    seen.isTruncated = isTruncated === true;
    seen.parseFault = isTruncated ? undefined : fault;
  };
  stream.on("data", (chunk) => {
    observed.note(`client got ${shortened(chunk.toString("latin1"))}`);
    text += chunk.toString("latin1");
    parse();
  });
  for (const event of ["end", "close"]) {
    stream.on(event, () => {
      if (!hasEnded) observed.note(`client saw ${event}`);
      hasEnded = true;
      parse();
    });
  }
  const until = async (what, isTrue) => {
    const isInTime = await patiently(() => hasEnded || seen.parseFault || isTrue(), DEADLINE_MS);
    if (!isInTime) seen.faults.push(`client: no ${what}`);
    return isInTime;
  };
  const finals = () => seen.responses.filter(({ status }) => status >= 200);
  const send = (bytes) =>
    new Promise((resolve) => {
      if (bytes) observed.note(`client sends ${shortened(bytes)}`);
      if (!bytes || !stream.writable) resolve();
      else stream.write(bytes, "latin1", () => resolve());
      stream.once("close", resolve);
    });
  const leave = async () => {
    observed.note(`client leaves: ${cell.outcome}`);
    if (cell.outcome === "left by FIN") transport.fin();
    else transport.reset();
    await closed();
  };
  const closed = async () => {
    if (!(await patiently(() => stream.destroyed, DEADLINE_MS)))
      seen.faults.push("client: the connection does not close");
    transport.raw.destroy();
    if (seen.parseFault) seen.faults.push(`client: ${seen.parseFault}`);
    return seen;
  };

  await transport.ready;
  const fields = Object.entries(fieldsOf(cell, content.length)).map(([name, value]) => `${name}: ${value}\r\n`);
  if (isChunked) fields.push("transfer-encoding: chunked\r\n");
  if (cell.way === "upgrade not taken") fields.push("connection: upgrade\r\nupgrade: websocket\r\n");
  const head = `PUT ${pathOf(cell)} HTTP/${version}\r\nhost: a\r\n${fields.join("")}\r\n`;
  const isLeaving = cell.outcome.startsWith("left");
  const sent = isLeaving ? body.slice(0, body.length / 2) : body;
  if (waits) {
    await send(head);
    if (!(isLeaving && cell.size === "small")) {
      await until("100 or final status", () => seen.responses.length > 0);
      // Whoever has been told to continue sends, unless the whole response is there and the connection ends.
      const isOver = finals()[0]?.isComplete && finals()[0].closes;
      if (seen.responses[0]?.status === 100 && !isOver) await send(sent);
    }
  } else {
    await send(head + sent);
  }
  if (isLeaving) {
    await leave();
    return seen;
  }
  await until("final status", () => finals()[0]?.isComplete);
  const [final] = finals();
  if (hasEnded || !final?.isComplete) {
    stream.end();
    return closed();
  }
  if (final.closes || version === "1.0") {
    await until("end behind a closing status", () => hasEnded);
  } else if (waits && !seen.responses.some(({ status }) => status === 100)) {
    seen.faults.push(`client: ${final.status} for withheld content, and the connection is kept`);
  } else {
    await send("GET /next HTTP/1.1\r\nhost: a\r\n\r\n");
    await until("response to the next request", () => finals()[1]?.isComplete);
  }
  stream.end();
  return closed();
}

function shortened(text) {
  const quoted = JSON.stringify(text);
  return quoted.length > 300 ? `${quoted.slice(0, 300)}… ${text.length} bytes` : quoted;
}

// HTTP/2

function connectHttp2({ stream }) {
  const session = http2.connect("http://a", { createConnection: () => stream });
  session.on("error", () => {});
  return session;
}

function nextOn(session) {
  return new Promise((resolve) => {
    if (session.destroyed || session.closed) {
      resolve(0);
      return;
    }
    const stream = session.request({ ":path": "/next" });
    let status = 0;
    stream.on("response", (headers) => {
      status = headers[":status"];
    });
    stream.on("error", () => {});
    stream.on("close", () => resolve(status));
    stream.resume();
  });
}

async function playHttp2(cell, { observed }, transport) {
  const { waits } = clientOf(cell);
  const content = contentOf(cell);
  const seen = { responses: [], faults: [], isTruncated: false };
  await transport.ready;
  const session = connectHttp2(transport);
  const stream = session.request(
    { ":method": "PUT", ":path": pathOf(cell), ...fieldsOf(cell, content.length) },
    { endStream: false },
  );
  let isClosed = false;
  let hasEnded = false;
  const isLeaving = cell.outcome.startsWith("left");
  const sent = isLeaving ? content.slice(0, content.length / 2) : content;
  const hear = (headers) => {
    observed.note(`client got ${headers[":status"]}`);
    seen.responses.push({ status: headers[":status"], isComplete: headers[":status"] < 200 });
  };
  stream.on("headers", hear);
  stream.on("response", hear);
  stream.on("data", () => {});
  stream.on("error", (error) => observed.note(`client saw error ${error.code}`));
  stream.on("end", () => {
    hasEnded = true;
    observed.note("client saw the end");
  });
  stream.on("close", () => {
    isClosed = true;
    observed.note(`client saw the stream closed with ${stream.rstCode}`);
  });
  const until = async (what, isTrue) => {
    // Node's client keeps a stream that is reset while it sends.
    if (!(await patiently(() => isClosed || (stream.closed && hasEnded) || isTrue(), DEADLINE_MS)))
      seen.faults.push(`client: no ${what}`);
  };
  const send = (isLast) =>
    new Promise((resolve) => {
      observed.note(`client sends ${sent.length} bytes`);
      stream.once("close", resolve);
      if (isLast) stream.end(sent, "latin1");
      else stream.write(sent, "latin1", () => resolve());
      if (isLast) resolve();
    });
  if (waits) {
    if (!(isLeaving && cell.size === "small")) {
      await until("100 or final status", () => seen.responses.length > 0);
      if (seen.responses[0]?.status === 100) await send(!isLeaving);
    } else await until("head", () => !stream.pending);
  } else {
    // What does not fit into the window waits there for a reader.
    let isSent = false;
    void send(!isLeaving).then(() => {
      isSent = true;
    });
    await until("room", () => isSent || seen.responses.length > 0 || observed.policies > 0);
  }
  if (isLeaving) {
    observed.note(`client leaves: ${cell.outcome}`);
    if (cell.outcome === "left by RST_STREAM") stream.close(http2.constants.NGHTTP2_CANCEL);
    else if (cell.outcome === "left by RST") transport.reset();
    else transport.fin();
  }
  await until("end of the stream", () => false);
  stream.destroy();
  const final = seen.responses.find(({ status }) => status >= 200);
  if (final) {
    final.isComplete = hasEnded && (stream.rstCode === 0 || isLeaving);
    seen.isTruncated = !final.isComplete;
  }
  if (!isLeaving || cell.outcome === "left by RST_STREAM") {
    const status = await settled(nextOn(session), DEADLINE_MS);
    if (status === undefined) seen.faults.push("client: no response to the next request of the session");
    else seen.next = status;
  }
  if (!session.destroyed) session.close();
  if (!(await patiently(() => session.destroyed, DEADLINE_MS))) seen.faults.push("client: the session does not close");
  session.destroy();
  transport.raw.destroy();
  return seen;
}

// Injected

async function playInjected(cell, { observed }) {
  const seen = { responses: [], faults: [], isTruncated: false };
  // Without a connection, nothing promises a `close`.
  const dispatch = (req, res) => {
    observed.server.emit("request", req, res);
  };
  const { isChunked } = clientOf(cell);
  const content = contentOf(cell);
  const headers = fieldsOf(cell, content.length);
  if (isChunked) headers["transfer-encoding"] = "chunked";
  const answered = inject(dispatch, { method: "PUT", url: pathOf(cell), headers, payload: content }).then(
    ({ statusCode }) => statusCode,
    (error) => `error ${error.message}`,
  );
  const status = await settled(answered, DEADLINE_MS);
  observed.note(`client got ${status}`);
  // Half of a response is an error for the program that injected the request.
  seen.isTruncated = typeof status === "string";
  if (typeof status === "number") seen.responses.push({ status, isComplete: true });
  else if (seen.isTruncated) return seen;
  else seen.faults.push(`client: ${status ?? "no response"}`);
  return seen;
}
