import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { constants, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { openConnection, SENT } from "../handshake/connection.js";
import { currentHandshake, type Handshake } from "../handshake/handshake.js";

type Fields = OutgoingHttpHeaders | OutgoingHttpHeader[] | readonly (readonly [string, OutgoingHttpHeader])[];

/**
 * Watches a response's final status, whoever sends it: while announced content is outstanding the connection must not
 * be used again, since what comes next on it is that content (FACTS: a kept-alive 417 lets an honest curl smuggle).
 */
export function watchFinal(handshake: Handshake): void {
  const { res, socket, stream } = handshake;
  if (!stream && !socket) return;
  (res as Watched)[WRITE_HEAD] = res.writeHead;
  res.writeHead = writeHeadWatched as ServerResponse["writeHead"];
  if (stream) closeStreamAfterFinal(handshake, stream);
  else closeConnectionAfterFinal(res);
}

/**
 * Whether a final status ends the connection: content is outstanding, or the protocol's state is unsure.
 *
 * @see DESIGN: connection rules 4 and 10
 */
function mustClose(handshake: Handshake, status: number): boolean {
  const { req, refusal } = handshake;
  if (refusal && (handshake.length !== 0 || handshake.hasExpectation)) return true;
  if (req.headers.upgrade !== undefined) return true;
  if (handshake.isLastOfConnection) return true;
  if (handshake.hasArrived) return false;
  return handshake.isWithheld || !handshake.hasReader || status >= 400;
}

function closeConnectionAfterFinal(res: ServerResponse): void {
  // Node's own rule for a final status without a 100 closes too much (content that came during the verdict, requests
  // without content) and too little (an application's `Connection: keep-alive`). `_expect_continue` is its only
  // switch. Wire test "keeps the connection when the content came during the verdict".
  (res as ServerResponse & { _expect_continue?: boolean })._expect_continue = false;
  res.on("finish", closeWhereHeadEscaped);
}

const WRITE_HEAD = Symbol("writeHead");

type Watched = ServerResponse & { [WRITE_HEAD]: ServerResponse["writeHead"] };

// One function for all responses: see the handshake's.
function writeHeadWatched(this: ServerResponse, status: number, ...rest: unknown[]): ServerResponse {
  const handshake = currentHandshake(this.req);
  const isFinal = status >= 200 && !this.headersSent;
  if (handshake && isFinal) {
    const { socket } = handshake;
    handshake.beginFinal(status);
    if (socket && !handshake.hasArrived) lingerAtItsEnd(handshake, socket);
    if (socket && mustClose(handshake, status)) {
      close(handshake, socket);
      const at = typeof rest[0] === "string" || (rest[0] == null && rest.length > 1) ? 1 : 0;
      rest[at] = withClose(this, rest[at] as Fields | undefined);
    }
  }
  return Reflect.apply((this as Watched)[WRITE_HEAD], this, [status, ...rest]);
}

// A head that was not written through the method above (`writeHeader`, a captured prototype) ends up here.
function closeWhereHeadEscaped(this: ServerResponse): void {
  const handshake = currentHandshake(this.req);
  if (!handshake?.socket) return;
  const { socket } = handshake;
  const { lastResponse } = openConnection(socket);
  if (lastResponse === SENT || (lastResponse !== this && !mustClose(handshake, this.statusCode))) return;
  close(handshake, socket);
  socket.destroySoon();
}

function close(handshake: Handshake, socket: Socket): void {
  openConnection(socket).lastResponse ??= handshake.res;
  lingerAtItsEnd(handshake, socket);
}

// Node calls `destroySoon` after the last response of a connection; its own would close with unread bytes: a reset. One
// function for all sockets: with a closure for each, refusals of the past stay in memory until a major collection.
function lingerAtItsEnd(handshake: Handshake, socket: Socket): void {
  openConnection(socket).lingersFor = handshake;
  socket.destroySoon = lingerSoon;
}

function lingerSoon(this: Socket): void {
  const connection = openConnection(this);
  const { lingersFor } = connection;
  if (!lingersFor) return;
  connection.lingersFor = undefined;
  connection.lastResponse = SENT;
  // Not at once: what its reader does about the error may be the end of the socket.
  if (isBeingRead(lingersFor)) this.once("close", () => failReader(lingersFor));
  lingersFor.context.lingering.add(this, contentLeft(lingersFor));
}

function isBeingRead({ hasReader, hasArrived, refusal }: Handshake): boolean {
  return hasReader && !hasArrived && !refusal;
}

function failReader(handshake: Handshake): void {
  handshake.failBody("ERR_EXPECT_TOO_LATE", "the final response ended the upload");
}

// Nothing is under way where the client waits for a verdict, or where all has come.
function contentLeft({ isWithheld, hasArrived, length, received }: Handshake): number | undefined {
  if (hasArrived || (isWithheld && received === 0)) return 0;
  return length === undefined ? undefined : Math.max(0, length - received);
}

// Puts `Connection: close` where Node will take it from, in place of any other, and leaves the caller's object alone.
function withClose(res: ServerResponse, fields: Fields | undefined): Fields | undefined {
  if (res.getHeaderNames().length > 0 || fields == null) {
    if (res.hasHeader("Keep-Alive")) res.removeHeader("Keep-Alive");
    res.setHeader("Connection", "close");
    return fields == null ? undefined : withoutConnection(fields);
  }
  const others = withoutConnection(fields);
  if (!Array.isArray(others)) return { ...others, Connection: "close" };
  return Array.isArray(fields[0 as never]) ? [...others, ["Connection", "close"]] : [...others, "Connection", "close"];
}

function withoutConnection(fields: Fields): Fields {
  if (!Array.isArray(fields)) {
    if (!Object.keys(fields).some(isAboutConnection)) return fields;
    return Object.fromEntries(Object.entries(fields).filter(([name]) => !isAboutConnection(name)));
  }
  if (Array.isArray(fields[0])) return fields.filter((field) => !isAboutConnection((field as [string])[0]));
  return fields.filter((_, i) => !isAboutConnection(fields[i - (i % 2)]));
}

function isAboutConnection(name: unknown): boolean {
  const folded = String(name).toLowerCase();
  return folded === "connection" || folded === "keep-alive";
}

/** How long a client has to see a response, and to end its side itself, before its stream is reset, in milliseconds. */
const RESET_DELAY_MS = 1_000;

// A stream that has answered but still has content coming stays open until somebody closes it (RFC 9113 §8.1:
// RST_STREAM with NO_ERROR after a complete response). A client that reads the response and the reset at once may take
// the upload for failed (curl 7.88 on h2c). Pausing holds Node's own reset back, and the client by its window.
function closeStreamSoon(handshake: Handshake, stream: ServerHttp2Stream): void {
  if (handshake.hasArrived || !mustClose(handshake, handshake.res.statusCode)) return;
  stream.pause();
  const timer = setTimeout(() => {
    if (isBeingRead(handshake)) failReader(handshake);
    stream.close(constants.NGHTTP2_NO_ERROR);
    stream.resume();
  }, RESET_DELAY_MS).unref();
  stream.once("close", () => clearTimeout(timer));
}

function closeStreamAfterFinal(handshake: Handshake, stream: ServerHttp2Stream): void {
  const { req, res } = handshake;
  const closeSoon = () => closeStreamSoon(handshake, stream);
  if (req.method !== "HEAD") {
    stream.once("finish", closeSoon);
    return;
  }
  // The stream of a response to HEAD never finishes.
  const { end } = res;
  res.end = function (this: ServerResponse, ...args: unknown[]): ServerResponse {
    setImmediate(closeSoon);
    return Reflect.apply(end, this, args);
  } as ServerResponse["end"];
}
