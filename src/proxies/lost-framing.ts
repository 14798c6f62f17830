import type { ClientRequest } from "node:http";
import { announcedContent, type HttpRequest, http2Stream } from "../http/message.js";
import { lowerAscii } from "../http/token.js";

// `http-proxy` and `http-proxy-3` set `Content-Length: 0` and delete `Transfer-Encoding` on these. They send the content
// all the same, and the origin takes it for the next request on the connection.
const REPLACED_BY_PROXIES = new Set(["DELETE", "OPTIONS"]);

// Node's `http.request` frames content of unknown length by itself, but not for these methods. A request over HTTP/1.1
// brings its own `Transfer-Encoding`, and one over HTTP/2 has none.
const NOT_FRAMED_BY_NODE = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT"]);

/** Whether a Node proxy may send a request's content without the framing that tells the origin where it ends. */
export function losesFraming(req: HttpRequest): boolean {
  if (announcedContent(req).length !== undefined) return false;
  return (http2Stream(req) ? NOT_FRAMED_BY_NODE : REPLACED_BY_PROXIES).has(req.method ?? "");
}

/**
 * Gives a request to the origin the framing back that a proxy has taken off.
 *
 * Destroys it if its header section is complete: what is written now would be executed as a request of its own.
 *
 * @see RFC 9112 §6.3, §11.2 (request smuggling)
 */
export function restoreFraming(req: HttpRequest, proxyReq: ClientRequest): void {
  if (!hadUnknownLength(req) || proxyReq.hasHeader("Transfer-Encoding")) return;
  const length = proxyReq.getHeader("Content-Length");
  const isFramed = length === undefined ? !NOT_FRAMED_BY_NODE.has(proxyReq.method) : Number(length) !== 0;
  if (isFramed) return;
  if (proxyReq.headersSent) {
    proxyReq.destroy(new Error("the proxy has dropped the framing of the content: mount holdExpectation() before it"));
    return;
  }
  proxyReq.removeHeader("Content-Length");
  proxyReq.setHeader("Transfer-Encoding", "chunked");
}

// As the client sent it: proxies change `req.headers`.
function hadUnknownLength(req: HttpRequest): boolean {
  const names = req.rawHeaders.filter((_, i) => i % 2 === 0).map(lowerAscii);
  if (names.includes("transfer-encoding")) return true;
  return http2Stream(req)?.endAfterHeaders === false && !names.includes("content-length");
}
