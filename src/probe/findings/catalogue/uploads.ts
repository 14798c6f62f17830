import type { Entries } from "./entry.js";
import { ATTACH, client, LEAVE_OUT, LET_THROUGH, proxy, server } from "./fixes.js";

/** Findings about uploads that fail for other reasons. */
export const UPLOAD_ENTRIES: Entries<
  "no-answer" | "h2-differs" | "upload-hangs" | "waf-expect" | "expect-fails" | "reuse-fails" | "malformed"
> = {
  "no-answer": {
    severity: "error",
    title: "the connection ends without an answer",
    cause: "The server, or a hop before it, drops the connection after such a request.",
    fixes: [LEAVE_OUT, server("Look for the request in the logs of each hop, beginning with the origin.")],
  },
  "h2-differs": {
    severity: "warning",
    title: "HTTP/2 responds differently from HTTP/1.1",
    cause: "On HTTP/2, another program or another part of the server answers.",
    fixes: [client("Use the version that works.", "curl --http1.1 -T FILE URL"), ATTACH],
  },
  "upload-hangs": {
    severity: "error",
    title: "an upload is sent and never answered",
    cause:
      "The content was sent, and no final status came. A hop may wait for a 100 that another hop consumed, such as nginx with proxy_set_header Expect. Or the application never reads the content.",
    fixes: [
      LEAVE_OUT,
      proxy("nginx: do not forward Expect. nginx answers it itself.", "# not: proxy_set_header Expect $http_expect;"),
      ATTACH,
    ],
  },
  "waf-expect": {
    severity: "error",
    title: "the upload works without Expect, and gets 403 with it",
    cause:
      "Most likely a web application firewall forbids the field. The OWASP Core Rule Set has done so by default since 4.20, by rule 920450.",
    fixes: [LET_THROUGH, proxy("Tell any other firewall to let Expect: 100-continue pass."), LEAVE_OUT],
    supersedes: ["expect-fails", "forbidden", "refusal-after-body"],
  },
  "expect-fails": {
    severity: "error",
    title: "the upload works without Expect and fails with it",
    cause: "A hop cannot forward the field. Proxies that use undici fail on every request with Expect.",
    fixes: [
      LEAVE_OUT,
      ATTACH,
      proxy("If a hop before the server does it, configure it to forward Expect, or to remove it."),
      proxy("HAProxy in front of it can remove the field.", "http-request del-header Expect"),
    ],
    supersedes: ["not-found", "method-refused", "redirected", "bad-request", "forbidden", "server-fails"],
  },
  "reuse-fails": {
    severity: "error",
    title: "the connection cannot be used after an upload",
    cause: "The connection stayed open after the accepted upload, but the next request on it is not answered.",
    fixes: [server("Read the whole content before the response ends, or send Connection: close.")],
  },
  malformed: {
    severity: "error",
    title: "the response is not HTTP",
    cause: "The bytes that came back are not a valid HTTP response.",
    fixes: [server("Make the server, or the hop before it, answer with valid HTTP: --verbose shows its bytes.")],
    supersedes: [
      ...([
        "no-answer",
        "no-continue",
        "waf-expect",
        "expect-fails",
        "kept-final",
        "kept-417",
        "refusal-reset",
      ] as const),
      ...(["bad-request", "forbidden", "not-found", "server-fails"] as const),
    ],
  },
};
