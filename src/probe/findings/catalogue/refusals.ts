import type { Entries } from "./entry.js";
import { ASK_FIRST, ATTACH, CADDY, CLOSE, client, HAPROXY_CLOSES, LEAVE_OUT, proxy, server } from "./fixes.js";

/** Findings about refusals: their status, their time, and what happens to the connection. */
export const REFUSAL_ENTRIES: Entries<
  "proxy-417" | "refused-417" | "kept-417" | "kept-final" | "refusal-reset" | "refusal-after-body"
> = {
  "proxy-417": {
    severity: "error",
    title: "a proxy answers 417",
    cause: "A hop in between does not support Expect and refuses it before the origin is asked.",
    fixes: [
      LEAVE_OUT,
      proxy("Have the hop pass Expect on, or take the field away."),
      proxy("HAProxy in front of it can take the field away.", "http-request del-header Expect"),
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
        "Client libraries add the field by themselves; switch it off.",
        "Guzzle: 'expect' => false\n.NET: ExpectContinue = false",
      ),
      server("Refuse uploads with the status of their reason: 413, 415, 401.", "refuse(413)"),
    ],
    supersedes: ["expect-fails"],
  },
  "kept-417": {
    severity: "error",
    title: "417 leaves the connection open",
    cause:
      "After a 417 curl repeats the upload on the same connection. The server takes the repeat for the content it did not get, and what follows in the file for a new request: a file can smuggle requests. Node does that for every expectation it does not know; HAProxy in mode http takes Connection: close off the origin's refusal.",
    fixes: [CLOSE, ATTACH, HAPROXY_CLOSES, LEAVE_OUT],
    supersedes: ["reuse-fails"],
  },
  "kept-final": {
    severity: "warning",
    title: "a refusal leaves the connection open",
    cause:
      "The final status came while announced content was outstanding, and did not say close. Some clients send the next request there, where the server still waits for content, or the content after all. HAProxy in mode http takes Connection: close off the origin's refusal.",
    fixes: [CLOSE, ATTACH, HAPROXY_CLOSES],
  },
  "refusal-reset": {
    severity: "error",
    title: "the connection is reset behind the refusal",
    cause:
      "The server closes while content is still arriving; the reset overtakes the answer, and clients report a broken connection instead of the refusal.",
    fixes: [
      server("Close in stages: end the own side, read on for a while, then go (RFC 9112 §9.6)."),
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
      "The header section alone decides this status, yet the 100 was sent and the content taken first: the handshake spares nothing. A proxy that answers the 100 itself does that, and so does a guard behind a body parser.",
    fixes: [ATTACH, ASK_FIRST, CADDY],
  },
};
