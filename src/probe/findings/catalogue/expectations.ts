import type { Entries } from "./entry.js";
import { ATTACH, client, proxy, server } from "./fixes.js";

/** Findings about how the value of Expect is read. */
export const EXPECTATION_ENTRIES: Entries<
  "near-miss-accepted" | "unknown-accepted" | "unknown-ignored" | "empty-refused" | "case-sensitive"
> = {
  "near-miss-accepted": {
    severity: "note",
    severityAtProxy: "warning",
    title: "what only looks like 100-continue is taken for it",
    cause:
      "The server looks for 100-continue anywhere in the field, as Node and Go do. On one server that is harmless. Between hops that read the field differently, an attacker can exploit the difference.",
    fixes: [
      ATTACH,
      proxy(
        "HAProxy can refuse them.",
        "http-request deny if { req.hdr(expect) -m found } !{ req.hdr(expect) -i 100-continue }",
      ),
    ],
  },
  "unknown-accepted": {
    severity: "warning",
    title: "an unknown expectation is answered with 100",
    cause:
      "The server treats every expectation as 100-continue, and so promises to meet expectations that it does not support.",
    fixes: [server("Answer unknown expectations with 417."), ATTACH],
    supersedes: ["unknown-ignored"],
  },
  "unknown-ignored": {
    severity: "note",
    title: "an unknown expectation is not refused while content is withheld",
    cause:
      "RFC 9110 §10.1.1 allows a server to ignore it. With a 417 at once, the client would know. Apache sends the 417 after the content.",
    fixes: [],
  },
  "empty-refused": {
    severity: "note",
    title: "an empty Expect field is refused",
    cause:
      "An empty list has no members and expects nothing (RFC 9110 §5.6.1.2). Clients rarely send one. Node, Squid and Varnish answer it with 417.",
    fixes: [ATTACH],
  },
  "case-sensitive": {
    severity: "warning",
    title: "letter case decides about the handshake",
    cause: "100-continue is case-insensitive (RFC 9110 §10.1.1).",
    fixes: [ATTACH, client("Write it in lower case.", "curl -H 'Expect: 100-continue' -T FILE URL")],
  },
};
