import type { SuspectFacts } from "./facts.js";

/** Proxies and API gateways. */
export const PROXIES: readonly SuspectFacts[] = [
  {
    id: "nginx",
    neverWaits: true,
    name: "nginx",
    known: [
      "With proxy_pass it sends the 100 itself, at once, and removes Expect. The client sends the body before the server is asked.",
      "With proxy_set_header Expect every accepted upload hangs.",
    ],
    change: ["Remove proxy_set_header Expect from the configuration.", "Let auth_request ask before the body is read."],
  },
  {
    id: "haproxy",
    name: "HAProxy",
    known: ["Forwards Expect and the 100. With option http-buffer-request it sends the 100 itself."],
    change: ["Remove option http-buffer-request where uploads are proxied."],
  },
  {
    id: "squid",
    name: "Squid",
    known: [
      "Forwards Expect and the 100. With force_request_body_continuation it sends the 100 itself.",
      "Old versions answer Expect with their own 417, which is not in this server's logs.",
    ],
    change: ["Remove force_request_body_continuation where uploads are proxied."],
    leaveOut: ["Before version 5: set ignore_expect_100 on, or better, update it."],
  },
  {
    id: "varnish",
    neverWaits: true,
    name: "Varnish",
    known: ["Sends the 100 itself, at once, and removes Expect."],
    change: ["Pipe uploads: std.late_100_continue(true) and return (pipe), with Expect set again in vcl_pipe."],
  },
  {
    id: "caddy",
    name: "Caddy",
    known: [
      "Sends its own 100 besides the origin's. With expect_continue_timeout this still happens in some of a thousand uploads.",
    ],
    change: ["Let it ask the origin first: forward_auth, and header_up -Expect towards the origin."],
  },
  {
    id: "apache-httpd",
    name: "Apache httpd",
    known: [
      "Forwards Expect and the 100. With ping=2 it also sends Expect for clients that sent none.",
      "Turns a refusal on a connection that stays open into a 500. With Proxy100Continue Off it sends the 100 itself.",
    ],
    change: ["Leave Proxy100Continue on."],
    leaveOut: ["Remove ping= from ProxyPass."],
  },
  {
    id: "gateway",
    name: "API gateways",
    known: [
      "A gateway may send Expect for clients that sent none, or answer Expect itself.",
      "This was not measured. It depends on the product's version and settings.",
    ],
    change: ["Probe each hop separately, beginning with the origin: express-expectations probe URL"],
    leaveOut: ["If the product has no setting for it, let it use HTTP/1.0 to this server: HTTP/1.0 has no Expect."],
  },
];
