// The bytes of requests, whole: what a client has sent before it leaves is the first part of one.
import * as http2 from "node:http2";
import { duplexPair } from "node:stream";

export const PATHS = [
  "/accept",
  "/accept-later",
  "/refuse",
  "/refuse-later",
  "/refuse-large",
  "/limit",
  "/throws",
  "/nowhere",
];

const BODY = "b".repeat(40);

/** Each shape of request in HTTP/1.1: path to bytes. */
const HTTP1 = {
  withheld: (path) => `PUT ${path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 40\r\n\r\n${BODY}`,
  pushed: (path) => `PUT ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n${BODY}`,
  chunked: (path) =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n${"c".repeat(20)}\r\n5\r\nhello\r\n0\r\nT: 1\r\n\r\nGET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`,
};

/** Each shape of request in HTTP/2: fields beside the path. */
const HTTP2 = {
  withheld: { ":method": "PUT", expect: "100-continue", "content-length": "40" },
  pushed: { ":method": "PUT", "content-length": "40" },
  chunked: { ":method": "POST" },
};

export const SHAPES = Object.keys(HTTP1);

/** The bytes of one request, as a Buffer: for HTTP/2 with the preface of its session. */
export async function bytesOf(protocol, shape, path) {
  if (!protocol.startsWith("h2")) return Buffer.from(HTTP1[shape](path), "latin1");
  return recorded({ ":path": path, ...HTTP2[shape] });
}

// What Node's client writes as long as no server has answered.
async function recorded(fields) {
  const [client, wire] = duplexPair();
  const chunks = [];
  wire.on("data", (chunk) => chunks.push(chunk));
  const session = http2.connect("http://test", { createConnection: () => client });
  session.on("error", () => {});
  const stream = session.request(fields, { endStream: false });
  stream.on("error", () => {});
  await new Promise((resolve) => stream.end(BODY, resolve));
  await new Promise(setImmediate);
  const bytes = Buffer.concat(chunks);
  session.destroy();
  wire.destroy();
  return bytes;
}
