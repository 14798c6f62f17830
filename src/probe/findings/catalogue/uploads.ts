import type { Entries } from "./entry.js";
import { ATTACH, client, LEAVE_OUT, proxy, server } from "./fixes.js";

/** Findings about uploads that fail for other reasons. */
export const UPLOAD_ENTRIES: Entries<
  "no-answer" | "h2-differs" | "upload-hangs" | "expect-fails" | "reuse-fails" | "malformed"
> = {
  "no-answer": {
    severity: "error",
    title: "the connection ends without an answer",
    cause: "The server, or something before it, drops the connection when it sees such a request.",
    fixes: [LEAVE_OUT, server("Look for the request in the logs, hop by hop, from the inside out.")],
  },
  "h2-differs": {
    severity: "warning",
    title: "HTTP/2 answers otherwise than HTTP/1.1",
    cause: "Another program, or another part of it, answers on HTTP/2.",
    fixes: [client("Use the one that works.", "curl --http1.1 -T FILE URL"), ATTACH],
  },
  "upload-hangs": {
    severity: "error",
    title: "an upload is sent and never answered",
    cause:
      "The content was sent, and no final status came. Something waits for a 100 that another hop has taken, for example nginx with proxy_set_header Expect, or the application never reads.",
    fixes: [
      LEAVE_OUT,
      proxy("nginx: do not pass Expect on; nginx answers it itself.", "# not: proxy_set_header Expect $http_expect;"),
      ATTACH,
    ],
  },
  "expect-fails": {
    severity: "error",
    title: "the upload works without Expect and fails with it",
    cause: "A hop cannot carry the field. Proxies that stand on undici fail on every request with Expect.",
    fixes: [
      LEAVE_OUT,
      proxy("Have the proxy take Expect away, or pass it on."),
      proxy("HAProxy in front of it", "http-request del-header Expect"),
    ],
  },
  "reuse-fails": {
    severity: "error",
    title: "the connection is of no use after an upload",
    cause: "The connection stayed open after the accepted upload, but the next request on it is not answered.",
    fixes: [server("Read the whole content before the response ends, or say Connection: close.")],
  },
  malformed: {
    severity: "error",
    title: "the answer is no HTTP",
    cause: "What came back follows no grammar that a client could read.",
    fixes: [server("Look at the evidence for what is wrong with it.")],
    supersedes: ["no-answer", "no-continue"],
  },
};
