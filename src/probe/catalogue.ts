import type { Finding, FindingCode, Fix, ScenarioId } from "./result.js";

interface Entry {
  readonly severity: Finding["severity"];
  /** Where a proxy does it and the origin does not. */
  readonly severityAtProxy?: Finding["severity"];
  readonly title: string;
  readonly cause: string;
  readonly fixes: readonly Fix[];
  /** Findings that say the same with less. */
  readonly outdoes?: readonly FindingCode[];
}

const fix =
  (side: Fix["side"]) =>
  (text: string, code?: string): Fix => ({ side, text, ...(code !== undefined && { code }) });
const client = fix("client");
const proxy = fix("proxy");
const server = fix("server");

const LEAVE_OUT = client("Leave Expect out; the whole upload is sent at once then.", "curl -H 'Expect:' -T FILE URL");
const ATTACH = server(
  "Node: take over the handshake, so that the 100 goes out when the content is read.",
  'import { attach } from "express-expectations";\nattach(app.listen(3000));',
);
const CLOSE = server("Say Connection: close with every answer that leaves announced content unread, and close.");
const ASK_FIRST = proxy(
  "nginx: ask the origin first, with a request without content.",
  "location /upload {\n  auth_request /admission;\n  proxy_request_buffering off;\n  proxy_pass http://origin;\n}",
);
const PASS_ON = proxy(
  "Apache passes Expect and the 100 on by itself, unless it is told otherwise.",
  'ProxyPass "/" "http://origin/" ping=2\n# not: Proxy100Continue Off',
);
const HAPROXY = proxy(
  "HAProxy passes both on, unless it waits for the content.",
  "# not in the frontend or backend of uploads:\nno option http-buffer-request",
);
const HAPROXY_CLOSES = proxy(
  "HAProxy takes the origin's Connection: close away; give it back.",
  "http-request set-var(txn.expect) req.hdr(Expect)\nhttp-after-response set-header Connection close if { status ge 300 } { var(txn.expect) -m found }",
);
const CADDY = proxy(
  "Caddy sends a 100 of its own: let it ask the origin first, and keep Expect to itself.",
  "forward_auth origin:3000 {\n  uri /admission\n  header_up -Expect\n}\nreverse_proxy origin:3000 {\n  header_up -Expect\n}",
);

/** What each finding means and what helps. */
export const CATALOGUE: Readonly<Record<FindingCode, Entry>> = {
  "blind-continue": {
    severity: "error",
    title: "100 Continue is sent before the refusal",
    cause:
      "The 100 goes out before anybody has looked at the request, so that the client sends the upload and gets its refusal all the same. Node does that by itself while nobody listens for checkContinue; a proxy that answers on its own does, too.",
    fixes: [ATTACH, ASK_FIRST],
    outdoes: ["refusal-after-body"],
  },
  "no-continue": {
    severity: "error",
    title: "no 100 Continue until the client gives up",
    cause:
      "The server waits for content without a word, or a proxy before it withholds the 100. curl sends after a second; clients that wait for ever hang.",
    fixes: [
      client("Do not wait long.", "curl --expect100-timeout 0.1 -T FILE URL"),
      LEAVE_OUT,
      ATTACH,
      HAPROXY,
      PASS_ON,
    ],
    outdoes: ["unknown-ignored"],
  },
  "no-answer": {
    severity: "error",
    title: "the connection ends without an answer",
    cause: "The server, or something before it, drops the connection when it sees such a request.",
    fixes: [LEAVE_OUT, server("Look for the request in the logs, hop by hop, from the inside out.")],
  },
  "proxy-continue": {
    severity: "warning",
    title: "the 100 comes from the proxy, not from the origin",
    cause:
      "The proxy answers 100 Continue itself before it asks the origin: a refusal of the origin comes after the upload. nginx with proxy_pass, lighttpd, Varnish and h2o do so; HAProxy, Apache and Squid where they are told to buffer.",
    fixes: [ASK_FIRST, HAPROXY, PASS_ON, CADDY],
    outdoes: ["expect-stripped", "refusal-after-body", "blind-continue", "unknown-ignored", "unknown-accepted"],
  },
  "expect-stripped": {
    severity: "warning",
    title: "the proxy takes Expect away, or keeps the 100",
    cause:
      "The origin decides when it is asked directly; through the proxy nothing comes while content is withheld. Either Expect does not reach the origin, or its answer does not come back: whoever waits for it waits in vain.",
    fixes: [PASS_ON, HAPROXY, CADDY, LEAVE_OUT],
    outdoes: ["no-continue", "unknown-ignored"],
  },
  "proxy-417": {
    severity: "error",
    title: "a proxy answers 417",
    cause: "A hop in between does not support Expect and refuses it before the origin is asked.",
    fixes: [
      LEAVE_OUT,
      proxy("Have the hop pass Expect on, or take the field away."),
      proxy("HAProxy in front of it can take the field away.", "http-request del-header Expect"),
    ],
    outdoes: ["refused-417", "expect-fails"],
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
    outdoes: ["expect-fails"],
  },
  "kept-417": {
    severity: "error",
    title: "417 leaves the connection open",
    cause:
      "After a 417 curl repeats the upload on the same connection. The server takes the repeat for the content it did not get, and what follows in the file for a new request: a file can smuggle requests. Node does that for every expectation it does not know; HAProxy in mode http takes Connection: close off the origin's refusal.",
    fixes: [CLOSE, ATTACH, HAPROXY_CLOSES, LEAVE_OUT],
    outdoes: ["reuse-fails"],
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
    outdoes: ["no-answer"],
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
      "Two hops send one each: a proxy its own and the origin's (Caddy by default), or the application and its server.",
    fixes: [CADDY, ATTACH],
  },
  "continue-after-final": {
    severity: "error",
    title: "a 100 Continue follows the final response",
    cause:
      "The client takes it for the answer to its next request. Something reads content, or calls writeContinue(), after the response was sent.",
    fixes: [server("Do not read a request's content once it is answered."), ATTACH],
  },
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
    outdoes: ["unknown-ignored"],
  },
  "unknown-ignored": {
    severity: "note",
    title: "an unknown expectation is not refused while content is withheld",
    cause:
      "RFC 9110 §10.1.1 lets a server pass over it; one that refuses with 417 at once tells the client. Apache does so behind the content.",
    fixes: [],
  },
  "refusal-after-body": {
    severity: "warning",
    title: "the refusal comes after the content",
    cause:
      "The header section alone decides this status, yet the 100 was sent and the content taken first: the handshake spares nothing. A proxy that answers the 100 itself does that, and so does a guard behind a body parser.",
    fixes: [ATTACH, ASK_FIRST, CADDY],
  },
  "slow-handshake": {
    severity: "warning",
    title: "the handshake is slower than clients wait",
    cause:
      "curl, Go, PHP and Ruby wait for one second and then send: a later verdict finds most of the content under way.",
    fixes: [
      server("Decide faster: cheap policies first, no slow look-ups before the 100."),
      client("Wait longer.", "curl --expect100-timeout 5 -H 'Expect: 100-continue' -T FILE URL"),
    ],
  },
  "h2-differs": {
    severity: "warning",
    title: "HTTP/2 answers otherwise than HTTP/1.1",
    cause: "Another program, or another part of it, answers on HTTP/2.",
    fixes: [client("Use the one that works.", "curl --http1.1 -T FILE URL"), ATTACH],
  },
  "proxy-auth": {
    severity: "error",
    title: "the proxy asks for credentials (407)",
    cause: "The forward proxy refuses the request before it is passed on; the origin was never asked.",
    fixes: [
      client("Pass the proxy's credentials.", "curl --proxy-user NAME --proxy-anyauth -T FILE URL"),
      client(
        "Where the proxy's challenge takes several legs (NTLM, Negotiate), leave Expect out.",
        "curl -H 'Expect:' --proxy-anyauth -T FILE URL",
      ),
    ],
    outdoes: ["expect-fails", "auth-required"],
  },
  "auth-loop": {
    severity: "error",
    title: "credentials are sent and asked for again",
    cause:
      "They are wrong, or the scheme is another one than Basic, or the handshake closes the connection that the scheme authenticates (NTLM, Negotiate).",
    fixes: [
      client("Let the client pick the scheme.", "curl --anyauth --user NAME -T FILE URL"),
      client("For NTLM and Negotiate, leave Expect out.", "curl -H 'Expect:' --anyauth --user NAME -T FILE URL"),
    ],
    outdoes: ["proxy-auth", "auth-required", "expect-fails"],
  },
  "auth-required": {
    severity: "note",
    title: "the endpoint asks for credentials (401)",
    cause: "Uploads without credentials are refused; what happens to those with credentials was not seen.",
    fixes: [client("Probe with credentials.", "express-expectations probe --user NAME:PASSWORD URL")],
    outdoes: ["expect-fails"],
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
    outdoes: ["no-answer", "no-continue"],
  },
};

/** Programs' names, by the word that a fix for them begins with. */
export const PROGRAM_OF_FIX: readonly (readonly [word: string, program: string])[] = [
  ["nginx", "nginx"],
  ["HAProxy", "HAProxy"],
  ["Apache", "Apache httpd"],
  ["Caddy", "Caddy"],
];

/** Well-known troubles: what they are called. */
export const SCENARIOS: Readonly<Record<ScenarioId, string>> = {
  "large-put-fails": "a large PUT fails",
  "curl-upload-hangs": "a curl upload hangs",
  "corporate-proxy-blocks-upload": "a corporate proxy blocks the upload",
  "api-gateway-417": "an API gateway returns 417",
  "client-adds-expect": "a client library adds Expect, and the upload fails",
  "proxy-auth-fails-handshake": "proxy authentication fails the handshake",
};
