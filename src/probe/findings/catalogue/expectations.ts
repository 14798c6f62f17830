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
      "The server looks for 100-continue somewhere in the field, as Node and Go do. By itself that is harmless: who sends it is answered 100. Hops that read the same field differently can be played against each other.",
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
    cause: "The server takes any expectation for 100-continue, and promises what it does not know.",
    fixes: [server("Answer 417 to expectations that nobody knows."), ATTACH],
    supersedes: ["unknown-ignored"],
  },
  "unknown-ignored": {
    severity: "note",
    title: "an unknown expectation is not refused while content is withheld",
    cause:
      "RFC 9110 §10.1.1 lets a server pass over it; one that refuses with 417 at once tells the client. Apache does so behind the content.",
    fixes: [],
  },
  "empty-refused": {
    severity: "note",
    title: "an empty Expect field is refused",
    cause:
      "An empty list has no members and expects nothing (RFC 9110 §5.6.1.2); clients seldom send one. Node, Squid and Varnish answer 417 by themselves.",
    fixes: [ATTACH],
  },
  "case-sensitive": {
    severity: "warning",
    title: "letter case decides about the handshake",
    cause: "100-continue is to be compared without regard to case (RFC 9110 §10.1.1).",
    fixes: [ATTACH, client("Write it in lower case.", "curl -H 'Expect: 100-continue' -T FILE URL")],
  },
};
