// Node's clients behind the protocol of ../suite/driver.mjs.
//
//   node node.mjs CLIENT plain|expect
import { readFileSync } from "node:fs";
import * as http from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";

const [client, mode] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true });
const expectation = mode === "expect" ? { Expect: "100-continue" } : {};

const PIECE = 64 * 1024;
function* piecesOf(content) {
  for (let start = 0; start < content.length; start += PIECE) yield content.subarray(start, start + PIECE);
}
const streamOf = (content) => Readable.from(piecesOf(content), { objectMode: false });

function request({ url, content, isChunked, fields }) {
  const framing = isChunked ? { "Transfer-Encoding": "chunked" } : { "Content-Length": content.length };
  const req = http.request(url, { agent, method: "PUT", headers: { ...framing, ...expectation, ...fields } });
  const answered = new Promise((resolve, reject) => {
    req.on("error", reject);
    req.on("response", (res) => {
      res.resume();
      res.on("error", reject);
      res.on("end", () => resolve(res.statusCode));
    });
  });
  return { req, answered };
}

// Chunked content goes piece by piece, as a stream does; with a length all of it is handed over at once.
function send(req, content, isChunked) {
  if (isChunked) streamOf(content).pipe(req);
  else req.end(content);
}

const basic = (credentials) => `Basic ${Buffer.from(credentials).toString("base64")}`;

/** Each answers the status. `upload`: url, content, isChunked, fields; credentials, for one that is asked for them. */
const CLIENTS = {
  async http(upload) {
    const { req, answered } = request(upload);
    send(req, upload.content, upload.isChunked);
    return answered;
  },

  async "http, waiting"(upload) {
    const { req, answered } = request(upload);
    let isContinued = false;
    req.on("continue", () => {
      isContinued = true;
      send(req, upload.content, upload.isChunked);
    });
    req.flushHeaders();
    const status = await answered;
    if (!isContinued) req.destroy();
    return status;
  },

  async "express-expectations/client"({ url, content, isChunked, credentials }) {
    const { upload } = await import("express-expectations/client");
    const { status } = await upload(url, {
      agent,
      body: isChunked ? () => streamOf(content) : content,
      authenticate: () => credentials && { Authorization: basic(credentials) },
    });
    return status;
  },

  async axios({ url, content, isChunked, fields }) {
    const { default: axios } = await import("axios");
    const { status } = await axios.put(url, isChunked ? streamOf(content) : content, {
      headers: { "Content-Type": "application/octet-stream", ...expectation, ...fields },
      httpAgent: agent,
      maxBodyLength: Number.POSITIVE_INFINITY,
      maxRedirects: isChunked ? 0 : undefined,
      proxy: false,
      validateStatus: () => true,
    });
    return status;
  },

  async got({ url, content, isChunked, fields }) {
    const { got } = await import("got");
    const { statusCode } = await got.put(url, {
      agent: { http: agent },
      body: isChunked ? streamOf(content) : content,
      headers: { ...expectation, ...fields },
      retry: { limit: 0 },
      throwHttpErrors: false,
    });
    return statusCode;
  },

  async "node-fetch"({ url, content, isChunked, fields }) {
    const { default: fetch } = await import("node-fetch");
    const body = isChunked ? streamOf(content) : content;
    const response = await fetch(url, { method: "PUT", agent, body, headers: { ...expectation, ...fields } });
    await response.arrayBuffer();
    return response.status;
  },

  async fetch({ url, content, isChunked, fields }) {
    const body = isChunked ? Readable.toWeb(streamOf(content)) : content;
    const response = await fetch(url, { method: "PUT", body, duplex: "half", headers: { ...expectation, ...fields } });
    await response.arrayBuffer();
    return response.status;
  },

  async undici({ url, content, isChunked, fields }) {
    const undici = await import("undici");
    const body = isChunked ? streamOf(content) : content;
    const response = await undici.request(url, { method: "PUT", body, headers: { ...expectation, ...fields } });
    await response.body.dump();
    return response.statusCode;
  },
};

function versionOf(name) {
  if (name.startsWith("http")) return process.versions.node;
  if (name === "fetch") return `${process.versions.undici} in Node ${process.versions.node}`;
  const require = createRequire(import.meta.url);
  if (name.startsWith("express-expectations")) return require("express-expectations/package.json").version;
  for (const folder of require.resolve.paths(name)) {
    try {
      return JSON.parse(readFileSync(`${folder}/${name}/package.json`, "utf8")).version;
    } catch {}
  }
  throw new Error(`${name} is not installed`);
}

function messageOf(error) {
  const { code, message } = error.cause ?? error;
  return [code, message].filter(Boolean).join(": ").replace(/\s+/g, " ");
}

async function upload(credentials, framing, url, file) {
  const parts = { url, content: readFileSync(file), isChunked: framing === "chunked", fields: {} };
  if (credentials !== "-") parts.credentials = credentials;
  try {
    const status = await CLIENTS[client](parts);
    if (status !== 401 || credentials === "-") return [status, ""];
    parts.fields = { Authorization: basic(credentials) };
    return [await CLIENTS[client](parts), "caller"];
  } catch (error) {
    return [0, messageOf(error)];
  }
}

console.log(`ready\t${versionOf(client)}`);
for await (const line of createInterface({ input: process.stdin })) {
  const [credentials, framing, ...uploads] = line.split("\t");
  const first = await upload(credentials, framing, uploads[0], uploads[1]);
  const next = await upload("-", "length", uploads[2], uploads[3]);
  console.log([...first, ...next].join("\t"));
}
process.exit();
