import type { SuspectFacts } from "./facts.js";

/** Proxies and API gateways. */
export const PROXIES: readonly SuspectFacts[] = [
  {
    id: "nginx",
    name: "nginx",
    known: [
      "With proxy_pass it sends the 100 itself, at once, and takes Expect away: the body is on its way before anybody is asked.",
      "With proxy_set_header Expect every accepted upload hangs.",
    ],
    change: ["Take proxy_set_header Expect out of the configuration.", "Let auth_request ask before the body is read."],
  },
  {
    id: "haproxy",
    name: "HAProxy",
    known: ["Passes Expect and the 100 on; with option http-buffer-request it sends the 100 itself."],
    change: ["Take option http-buffer-request out where uploads go."],
  },
  {
    id: "squid",
    name: "Squid",
    known: [
      "Passes Expect and the 100 on; with force_request_body_continuation it sends the 100 itself.",
      "Old versions answer Expect with a 417 of their own, which no log of this server shows.",
    ],
    change: [
      "Take force_request_body_continuation out where uploads go.",
      "Before version 5: ignore_expect_100 on; better, update it.",
    ],
  },
  {
    id: "varnish",
    name: "Varnish",
    known: ["Sends the 100 itself, at once, and takes Expect away."],
    change: ["Take uploads past it: std.late_100_continue(true) and return (pipe), with Expect set again in vcl_pipe."],
  },
  {
    id: "caddy",
    name: "Caddy",
    known: [
      "Sends a 100 itself besides the origin's; with expect_continue_timeout still in some of a thousand uploads.",
    ],
    change: ["Let it ask first: forward_auth, and header_up -Expect towards the origin."],
  },
  {
    id: "apache-httpd",
    name: "Apache httpd",
    known: [
      "Passes Expect and the 100 on; with ping=2 it sends Expect for clients that sent none.",
      "Makes a 500 of a refusal on a connection that stays open; with Proxy100Continue Off it sends the 100 itself.",
    ],
    change: ["Take ping= out of ProxyPass, and leave Proxy100Continue on."],
  },
  {
    id: "gateway",
    name: "API gateways",
    known: [
      "Stands between the client and this server, and may send Expect for clients that sent none, or answer it itself.",
      "Not measured: it depends on the product's version and settings.",
    ],
    change: [
      "Ask each hop by itself, from the inside out: express-expectations probe URL",
      "Where the product has no setting for it, speak HTTP/1.0 to this server: that has no Expect.",
    ],
  },
];
