import type { Entries } from "./entry.js";
import { ASK_FIRST, ATTACH, CADDY, CLOSE, client, HAPROXY_CLOSES, LEAVE_OUT, proxy, server } from "./fixes.js";

/** Findings about refusals: their status, their time, and what happens to the connection. */
export const REFUSAL_ENTRIES: Entries<
  "proxy-417" | "refused-417" | "kept-417" | "kept-final" | "refusal-reset" | "refusal-after-body"
> = {
  "proxy-417": {
    severity: "error",
    title: "a proxy answers 417",
    cause: "A hop before the origin does not support Expect and refuses the request without asking the origin.",
    fixes: [
      LEAVE_OUT,
      proxy("Configure the hop to forward Expect, or to remove the field."),
      proxy("HAProxy in front of it can remove the field.", "http-request del-header Expect"),
    ],
    supersedes: ["refused-417", "expect-fails"],
  },
  "refused-417": {
    severity: "error",
    title: "Expect: 100-continue is answered with 417",
    cause:
      "The endpoint, or something before it, does not support the handshake, or refuses this upload with 417. A client that gets it should repeat the request without Expect (RFC 9110 §10.1.1).",
    fixes: [
      LEAVE_OUT,
      client(
        "Client libraries add the field by themselves. Switch it off.",
        "Guzzle: 'expect' => false\n.NET: ExpectContinue = false",
      ),
      server("Refuse uploads with the status for the reason: 413, 415, 401.", "refuse(413)"),
    ],
    supersedes: ["expect-fails"],
  },
  "kept-417": {
    severity: "error",
    title: "417 leaves the connection open",
    cause:
      "After a 417, curl repeats the upload on the same connection. The server reads the repeated request as the missing content, and the rest of the file as a new request. A file can therefore smuggle requests. Node leaves the connection open for every unknown expectation. HAProxy in mode http removes Connection: close from the origin's refusal.",
    fixes: [CLOSE, ATTACH, HAPROXY_CLOSES, LEAVE_OUT],
    supersedes: ["reuse-fails"],
  },
  "kept-final": {
    severity: "warning",
    title: "a refusal leaves the connection open",
    cause:
      "The final status came before the announced content was sent, and without Connection: close. Some clients then send the next request or the content on this connection, although the server still waits for content. HAProxy in mode http removes Connection: close from the origin's refusal.",
    fixes: [CLOSE, ATTACH, HAPROXY_CLOSES],
  },
  "refusal-reset": {
    severity: "error",
    title: "the connection is reset behind the refusal",
    cause:
      "The server closes the connection while content is still arriving. The reset overtakes the answer, so clients report a broken connection instead of the refusal.",
    fixes: [
      server("Close in stages: end the response side, keep reading for a while, then close (RFC 9112 §9.6)."),
      ATTACH,
      client("Wait for the 100 before sending.", "curl -H 'Expect: 100-continue' -T FILE URL"),
      proxy("nginx", "lingering_close always;"),
    ],
    supersedes: ["no-answer"],
  },
  "refusal-after-body": {
    severity: "warning",
    title: "the refusal comes after the content",
    cause:
      "This status depends on the header section alone, but the server sent the 100 and read the content first. The handshake therefore saves nothing. Causes are a proxy that sends the 100 itself, and a guard after a body parser.",
    fixes: [ATTACH, ASK_FIRST, CADDY],
  },
};
