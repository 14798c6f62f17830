import type { Entries } from "./entry.js";
import { ASK_FIRST, ATTACH, CADDY, client, HAPROXY, LEAVE_OUT, LIGHTTPD, PASS_ON, server, VARNISH } from "./fixes.js";

/** Findings about the 100 Continue: missing, too early, too late, or from the wrong hop. */
export const CONTINUE_ENTRIES: Entries<
  | "blind-continue"
  | "no-continue"
  | "proxy-continue"
  | "expect-stripped"
  | "continue-to-http10"
  | "double-continue"
  | "continue-after-final"
  | "slow-handshake"
> = {
  "blind-continue": {
    severity: "error",
    title: "100 Continue is sent before the refusal",
    cause:
      "The 100 is sent before the request is checked, so the client sends the upload and then gets its refusal. Node does this if nobody listens for checkContinue. Some proxies do, too.",
    fixes: [ATTACH, ASK_FIRST],
    supersedes: ["refusal-after-body"],
  },
  "no-continue": {
    severity: "error",
    title: "no 100 Continue until the client gives up",
    cause:
      "The server waits for content without sending the 100, or a proxy before it withholds the 100. curl sends the content after one second. Clients that wait without a limit hang.",
    fixes: [
      client("Do not wait long.", "curl --expect100-timeout 0.1 -T FILE URL"),
      LEAVE_OUT,
      ATTACH,
      HAPROXY,
      PASS_ON,
    ],
    supersedes: ["unknown-ignored"],
  },
  "proxy-continue": {
    severity: "warning",
    title: "the 100 comes from the proxy, not from the origin",
    cause:
      "The proxy sends 100 Continue itself before it asks the origin, so a refusal by the origin comes after the upload. nginx with proxy_pass, lighttpd, Varnish and h2o do so. HAProxy, Apache and Squid do so if they are configured to buffer.",
    fixes: [ASK_FIRST, HAPROXY, PASS_ON, CADDY, VARNISH, LIGHTTPD],
    supersedes: ["expect-stripped", "refusal-after-body", "blind-continue", "unknown-ignored", "unknown-accepted"],
  },
  "expect-stripped": {
    severity: "warning",
    title: "the proxy takes Expect away, or keeps the 100",
    cause:
      "The origin answers direct requests, but through the proxy nothing comes while content is withheld. Either Expect does not reach the origin, or the answer does not come back. Clients that wait for the 100 do not get it.",
    fixes: [PASS_ON, HAPROXY, CADDY, LEAVE_OUT],
    supersedes: ["no-continue", "unknown-ignored"],
  },
  "continue-to-http10": {
    severity: "error",
    title: "100 Continue is sent to HTTP/1.0",
    cause: "An HTTP/1.0 client takes it for the final response (RFC 9110 §15.2).",
    fixes: [server("Ignore Expect in HTTP/1.0 requests."), ATTACH],
  },
  "double-continue": {
    severity: "error",
    title: "two 100 Continue for one request",
    cause:
      "Two hops send one each: a proxy sends its own and forwards the origin's (Caddy by default), or the application and its server both send one.",
    fixes: [CADDY, ATTACH],
  },
  "continue-after-final": {
    severity: "error",
    title: "a 100 Continue follows the final response",
    cause:
      "The client takes it for the answer to its next request. Something reads content, or calls writeContinue(), after the response was sent.",
    fixes: [server("Do not read a request's content after the response has been sent."), ATTACH],
  },
  "slow-handshake": {
    severity: "warning",
    title: "the handshake is slower than clients wait",
    cause:
      "curl, Go, PHP and Ruby wait for one second and then send. When a later verdict comes, most of the content has been sent.",
    fixes: [
      server("Decide faster: put cheap policies first, and avoid slow look-ups before the 100."),
      client("Wait longer.", "curl --expect100-timeout 5 -H 'Expect: 100-continue' -T FILE URL"),
    ],
  },
};
