// Reads the bytes of a case as RFC 9112 has it, without any leniency: where each request begins and ends, and what is odd
// about it. The classes of disagreement are made of these traits.
import { numberOf } from "./routes.mjs";

/** Header sections above this size are refused by Node (431). */
const MAX_HEAD = 16 * 1024;
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;
// Methods that Node's parser knows (http.METHODS), and QUERY of its newer versions.
const KNOWN_METHODS = new Set(
  `ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY
  OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK
  UNSUBSCRIBE`.split(/\s+/),
);

/** Traits that leave the end of a request unknown: nothing that follows is a request for certain. */
export const UNSOUND = new Set([
  "bare LF",
  "bare CR",
  "NUL",
  "control character",
  "request line",
  "version",
  "leading white space",
  "field line",
  "space before colon",
  "obs-fold",
  "Content-Length fault",
  "Content-Length list",
  "Transfer-Encoding fault",
  "Transfer-Encoding and Content-Length",
  "Transfer-Encoding in HTTP/1.0",
  "chunk size",
  "chunk line end",
  "chunk extension fault",
  "chunk end",
  "trailer fault",
  "large head",
  "CONNECT",
  "HTTP/2 preface",
]);

/**
 * Reads all requests of a text.
 *
 * @returns requests as `{ start, end, head, id, method, version, traits, isComplete, hasHead, length }`. The reading stops
 *   behind the first one that is unsound or not complete.
 */
export function readRequests(text) {
  const requests = [];
  let at = 0;
  while (at < text.length) {
    const request = readRequest(text, at);
    requests.push(request);
    if (!request.isComplete || request.isUnsound || request.isLast) break;
    at = request.end;
  }
  return requests;
}

function readRequest(text, start) {
  const traits = new Set();
  let at = start;
  for (let empty = /^\r?\n/; empty.test(text.slice(at, at + 2)); ) {
    traits.add("empty line first");
    at = text.indexOf("\n", at) + 1;
  }
  const request = {
    start,
    end: text.length,
    traits,
    isComplete: false,
    hasHead: false,
    id: "",
    method: "",
    version: "",
  };
  // A head ends where a lenient reader sees its end, so that all of its traits are seen.
  const headEnd = /\r?\n\r?\n/.exec(text.slice(at));
  const head = headEnd ? text.slice(at, at + headEnd.index) : text.slice(at);
  readHead(head, request, headEnd !== null);
  if (headEnd && headEnd[0] !== "\r\n\r\n") traits.add("bare LF");
  if (head.length + 4 > MAX_HEAD) traits.add("large head");
  request.headEnd = headEnd ? at + headEnd.index + headEnd[0].length : text.length;
  if (headEnd) {
    request.hasHead = true;
    request.head = head;
    readContent(text, request);
  } else traits.add("unfinished head");
  request.isUnsound = [...traits].some((trait) => UNSOUND.has(trait));
  request.isLast = request.closes || (request.version === "1.0" && !traits.has("HTTP/1.0 kept"));
  return request;
}

function readHead(head, request, isFinished) {
  const { traits } = request;
  if (head.includes("\0")) traits.add("NUL");
  else if (hasControl(head)) traits.add("control character");
  if (/\r(?!\n)/.test(isFinished ? head : head.slice(0, -1))) traits.add("bare CR");
  if (/(?<!\r)\n/.test(head)) traits.add("bare LF");
  if (/[\x80-\xff]/.test(head)) traits.add("obs-text");
  const [requestLine, ...lines] = head.split(/\r?\n/);
  if (lines.length === 0 && !isFinished) return;
  readRequestLine(requestLine, request);
  readFields(isFinished ? lines : lines.slice(0, -1), request);
}

function hasControl(text) {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 0x20 && !"\t\r\n".includes(text[i])) || code === 0x7f) return true;
  }
  return false;
}

function readRequestLine(line, request) {
  const { traits } = request;
  request.id = numberOf(line);
  if (line.startsWith("PRI * HTTP/2.0")) traits.add("HTTP/2 preface");
  const match = /^(\S+) +(\S+) +HTTP\/(\d\.\d)$/.exec(line);
  if (!match) {
    traits.add("request line");
    return;
  }
  const [, method, target, version] = match;
  Object.assign(request, { method, version, target });
  if (/ {2}/.test(line)) traits.add("spaces in the request line");
  if (!TOKEN.test(method)) traits.add("request line");
  else if (!KNOWN_METHODS.has(method)) traits.add("unknown method");
  if (method === "CONNECT") traits.add("CONNECT");
  if (version === "1.0") traits.add("HTTP/1.0");
  else if (version !== "1.1") traits.add("version");
  if (/^https?:\/\//i.test(target)) traits.add("absolute form");
  else if (target === "*") traits.add("asterisk form");
  else if (!target.startsWith("/")) traits.add("target");
  if (!/^[\w\-.~:/?#[\]@!$&'()*+,;=%]*$/.test(target) || /%(?![\da-f]{2})/i.test(target)) traits.add("target");
  if (target.includes("#") || /^https?:\/\/(?:[/?#]|$)/i.test(target)) traits.add("target");
}

function readFields(lines, request) {
  const { traits } = request;
  const fields = [];
  for (const [i, line] of lines.entries()) {
    if (/^[ \t]/.test(line)) {
      traits.add(i === 0 ? "leading white space" : "obs-fold");
      if (fields.length > 0) fields.at(-1)[1] = `${fields.at(-1)[1]} ${line.trim()}`.trim();
      continue;
    }
    const match = /^([^:]*?)([ \t]*):[ \t]*([\s\S]*?)[ \t]*$/.exec(line);
    if (!match || !TOKEN.test(match[1])) traits.add("field line");
    if (!match) continue;
    if (match[2] !== "") traits.add("space before colon");
    if (/^content-length:.*\t/i.test(line)) traits.add("tab beside Content-Length");
    fields.push([match[1].toLowerCase(), match[3]]);
  }
  const valuesOf = (name) => fields.filter(([other]) => other === name).map(([, value]) => value);
  readHost(valuesOf("host"), request);
  readFraming(valuesOf("content-length"), valuesOf("transfer-encoding"), request);
  readExpect(valuesOf("expect"), request);
  const options = valuesOf("connection")
    .join(",")
    .toLowerCase()
    .split(/[ \t]*,[ \t]*/);
  if (options.includes("close")) request.closes = true;
  if (options.includes("keep-alive") && request.version === "1.0") traits.add("HTTP/1.0 kept");
  if (request.closes && options.includes("keep-alive")) traits.add("close beside keep-alive");
  if (valuesOf("upgrade").length > 0)
    traits.add(options.includes("upgrade") ? "upgrade" : "Upgrade without Connection");
  if (fields.length > 900) traits.add("large head");
}

function readHost(hosts, { traits, version }) {
  if (hosts.length === 0 && version !== "1.0") traits.add("no Host");
  if (hosts.length > 1) traits.add("Host twice");
  if (hosts.some((host) => !/^(?:[\w\-.~!$&'()*+,;=%]*|\[[\da-f:.]+\])(?::\d*)?$/i.test(host))) traits.add("bad Host");
  if (hosts.some((host) => host === "")) traits.add("empty Host");
}

function readFraming(lengths, codings, request) {
  const { traits, version } = request;
  const members = lengths.flatMap((value) => value.split(",").map((member) => member.trim()));
  const isValid = (member) => /^\d+$/.test(member) && Number.isSafeInteger(Number(member));
  if (members.length > 0 && !members.every((member) => isValid(member) && member === members[0])) {
    traits.add("Content-Length fault");
  } else if (members.length > 1) traits.add("Content-Length list");
  if (codings.length > 0) {
    const all = codings.join(",").toLowerCase();
    if (all !== "chunked") traits.add("Transfer-Encoding fault");
    if (members.length > 0) traits.add("Transfer-Encoding and Content-Length");
    if (version === "1.0") traits.add("Transfer-Encoding in HTTP/1.0");
    request.isChunked = true;
  }
  request.length = request.isChunked ? undefined : Number(members[0] ?? 0);
}

function readExpect(values, request) {
  if (values.length === 0) return;
  const members = values
    .join(",")
    .split(",")
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, "").toLowerCase())
    .filter((member) => member !== "");
  request.expectsContinue = members.includes("100-continue");
  if (members.some((member) => member !== "100-continue")) request.traits.add("unknown expectation");
  if (members.length === 0) request.traits.add("empty Expect");
  if (request.expectsContinue) request.traits.add("100-continue");
  // Node compares the whole value with a pattern that finds the word in others, too.
  if (request.expectsContinue && (members.length > 1 || values.length > 1 || !/^100-continue$/i.test(values[0]))) {
    request.traits.add("100-continue in a list");
  }
}

function readContent(text, request) {
  request.hasContent = request.isChunked || request.length !== 0;
  if (request.traits.has("upgrade") && !request.hasContent) request.traits.add("upgrade without content");
  if (request.isChunked) readChunks(text, request);
  else {
    const end = request.headEnd + (Number.isSafeInteger(request.length) ? request.length : 0);
    request.isComplete = text.length >= end;
    request.end = Math.min(end, text.length);
  }
  if (!request.isComplete) request.traits.add("unfinished content");
}

function readChunks(text, request) {
  const { traits } = request;
  let at = request.headEnd;
  for (;;) {
    const lineEnd = text.indexOf("\n", at);
    if (lineEnd < 0) {
      const rest = text.slice(at);
      if (!/^[\da-f]*(?:\r|[ \t]*;[^\r]*\r?)?$/i.test(rest)) traits.add("chunk size");
      return;
    }
    const line = text.slice(at, lineEnd).replace(/\r$/, "");
    if (text[lineEnd - 1] !== "\r") traits.add("chunk line end");
    const match = /^([\da-f]+)([\s\S]*)$/i.exec(line);
    if (!match) traits.add("chunk size");
    if (!match) return;
    if (match[1].length > 16) traits.add("long chunk size");
    if (line.length > 4_000) traits.add("large chunk line");
    readExtensions(match[2], traits);
    const size = Number.parseInt(match[1], 16);
    if (!Number.isSafeInteger(size)) traits.add("chunk size");
    at = lineEnd + 1;
    if (size === 0) break;
    if (text.length < at + size) return;
    at += size;
    if (text.slice(at, at + 2) !== "\r\n".slice(0, text.length - at)) {
      traits.add("chunk end");
      return;
    }
    if (text.length < at + 2) return;
    at += 2;
  }
  readTrailers(text, at, request);
}

function readExtensions(extensions, traits) {
  if (extensions === "") return;
  traits.add("chunk extension");
  if (/^[ \t]/.test(extensions)) traits.add("white space behind a chunk size");
  const valid =
    /^(?:[ \t]*;[ \t]*[!#$%&'*+.^_`|~\w-]+(?:[ \t]*=[ \t]*(?:[!#$%&'*+.^_`|~\w-]+|"(?:[^"\\\r\n]|\\.)*"))?)*$/;
  if (!valid.test(extensions) || /[\r\n]/.test(extensions) || hasControl(extensions))
    traits.add("chunk extension fault");
}

function readTrailers(text, start, request) {
  const { traits } = request;
  let at = start;
  for (;;) {
    const lineEnd = text.indexOf("\n", at);
    if (lineEnd < 0) {
      if (at > start) traits.add("trailer");
      return;
    }
    const line = text.slice(at, lineEnd).replace(/\r$/, "");
    if (text[lineEnd - 1] !== "\r") traits.add(line === "" ? "chunk line end" : "trailer fault");
    at = lineEnd + 1;
    if (line === "") break;
    traits.add("trailer");
    if (/^(?:content-length|transfer-encoding|host|expect|trailer|connection)[ \t]*:/i.test(line)) {
      traits.add("trailer for framing");
    }
    if (!/^[!#$%&'*+.^_`|~\w-]+:[\t\x20-\x7e\x80-\xff]*$/.test(line)) traits.add("trailer fault");
  }
  request.isComplete = true;
  request.end = at;
}
