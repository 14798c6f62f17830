/**
 * Reads what a server sent as a sequence of HTTP/1.1 responses, strictly.
 *
 * @param text - all bytes so far, as latin1.
 * @param methodOf - the method of the request that the nth final response answers (`undefined` where unknown), from n
 *   and the response's header fields.
 * @param version - the versions that a status line may name, as a pattern.
 * @returns `{ responses, fault }`; `fault` says why the rest is no response.
 */
export function parseResponses(text, methodOf, hasEnded, version = "1\\.1") {
  const statusLinePattern = new RegExp(`^HTTP/(${version}) ([1-5]\\d\\d) [^\\r\\n]*$`);
  const responses = [];
  let at = 0;
  let finals = 0;
  while (at < text.length) {
    const start = text.slice(at, at + 9);
    if (!"HTTP/1.1 ".startsWith(start) && !new RegExp(`^HTTP/${version} `).test(start))
      return { responses, fault: `no status line at byte ${at}: ${quote(text, at)}` };
    const headEnd = text.indexOf("\r\n\r\n", at);
    if (headEnd < 0) {
      if (hasEnded)
        return { responses, fault: `half a header section at byte ${at}: ${quote(text, at)}`, isTruncated: true };
      break;
    }
    const [statusLine, ...lines] = text.slice(at, headEnd).split("\r\n");
    const match = statusLinePattern.exec(statusLine);
    if (!match) return { responses, fault: `status line ${JSON.stringify(statusLine)}` };
    const headers = new Map();
    for (const line of lines) {
      const field = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*)$/.exec(line);
      if (!field) return { responses, fault: `field line ${JSON.stringify(line)}` };
      const name = field[1].toLowerCase();
      if (headers.has(name) && (name === "content-length" || name === "connection" || name === "transfer-encoding")) {
        return { responses, fault: `${name} twice` };
      }
      headers.set(name, field[2].trimEnd());
    }
    at = headEnd + 4;
    const response = {
      status: Number(match[2]),
      closes: ends(match[1], headers.get("connection") ?? ""),
      isComplete: true,
      headers,
    };
    responses.push(response);
    if (response.status === 101) return { responses };
    if (response.status < 200) continue;
    const method = methodOf(finals++, headers);
    const body = bodyEnd(text, at, response.status, headers, method, hasEnded);
    if (body.fault) return { responses, fault: body.fault };
    response.isComplete = body.isComplete;
    if (!body.isComplete) {
      if (hasEnded) return { responses, fault: `half a body after ${response.status}`, isTruncated: true };
      break;
    }
    at = body.end;
  }
  return { responses };
}

function ends(version, connection) {
  return /\bclose\b/i.test(connection) || (version === "1.0" && !/\bkeep-alive\b/i.test(connection));
}

function bodyEnd(text, at, status, headers, method, hasEnded) {
  if (status === 204 || status === 304 || method === "HEAD") return { isComplete: true, end: at };
  if (headers.get("transfer-encoding")?.toLowerCase() === "chunked") {
    if (headers.has("content-length")) return { fault: "Content-Length beside Transfer-Encoding in a response" };
    return chunksEnd(text, at, method);
  }
  const length = headers.get("content-length");
  if (length === undefined) return { isComplete: hasEnded, end: text.length };
  if (!/^\d+$/.test(length)) return { fault: `Content-Length ${JSON.stringify(length)} in a response` };
  const end = at + Number(length);
  // Where nobody knows the method (the request was mutated), it may have been HEAD.
  if (method === undefined && Number(length) > 0 && (text.length === at || text.startsWith("HTTP/1.", at))) {
    return { isComplete: true, end: at };
  }
  return { isComplete: text.length >= end, end };
}

function chunksEnd(text, from, method) {
  let at = from;
  if (method === undefined && (text.length === at || text.startsWith("HTTP/1.", at)))
    return { isComplete: true, end: at };
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return { isComplete: false };
    const size = text.slice(at, lineEnd);
    if (!/^[0-9a-f]+$/i.test(size)) return { fault: `chunk size ${JSON.stringify(size.slice(0, 80))} in a response` };
    const end = lineEnd + 2 + Number.parseInt(size, 16);
    if (text.length < end + 2) return { isComplete: false };
    if (text.slice(end, end + 2) !== "\r\n") return { fault: `no line end behind a chunk: ${quote(text, end)}` };
    if (Number.parseInt(size, 16) === 0) return { isComplete: true, end: end + 2 };
    at = end + 2;
  }
}

function quote(text, at) {
  return JSON.stringify(text.slice(at, at + 60));
}
