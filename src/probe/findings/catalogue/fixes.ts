import type { Fix } from "../../finding.js";

type MakeFix = (text: string, code?: string) => Fix;

const fix =
  (side: Fix["side"]): MakeFix =>
  (text, code) => ({ side, text, ...(code !== undefined && { code }) });
/** Returns a fix on the client: what to do, and a command or lines to copy. */
export const client: MakeFix = fix("client");
/** Returns a fix on the proxy: what to do, and lines to copy. */
export const proxy: MakeFix = fix("proxy");
/** Returns a fix on the server: what to do, and lines to copy. */
export const server: MakeFix = fix("server");

/** The client leaves `Expect` out. */
export const LEAVE_OUT: Fix = client(
  "Leave Expect out. The client then sends the whole upload at once.",
  "curl -H 'Expect:' -T FILE URL",
);

/** The server uses this package. */
export const ATTACH: Fix = server(
  "Node: take over the handshake, so that the 100 goes out when the content is read.",
  'import { attach } from "express-expectations";\nattach(app.listen(3000));',
);
/** The server closes the connection after an early refusal. */
export const CLOSE: Fix = server(
  "Send Connection: close with every answer that leaves announced content unread, and close the connection.",
);
/** nginx asks the origin before it reads the content. */
export const ASK_FIRST: Fix = proxy(
  "nginx: ask the origin first, in a request without content.",
  "location /upload {\n  auth_request /admission;\n  proxy_request_buffering off;\n  proxy_pass http://origin;\n}",
);
/** Apache httpd passes the handshake on. */
export const PASS_ON: Fix = proxy(
  "Apache forwards Expect and the 100 unless it is configured otherwise.",
  'ProxyPass "/" "http://origin/" ping=2\n# not: Proxy100Continue Off',
);
/** HAProxy does not wait for the content. */
export const HAPROXY: Fix = proxy(
  "HAProxy forwards both unless it waits for the content.",
  "# not in the frontend or backend of uploads:\nno option http-buffer-request",
);
/** HAProxy keeps `Connection: close` on refusals. */
export const HAPROXY_CLOSES: Fix = proxy(
  "HAProxy removes the origin's Connection: close. Add it again.",
  "http-request set-var(txn.expect) req.hdr(Expect)\nhttp-after-response set-header Connection close if { var(txn.expect) -m found }",
);
/** Caddy asks the origin first. */
export const CADDY: Fix = proxy(
  "Caddy sends its own 100. Let it ask the origin first, and not forward Expect.",
  "forward_auth origin:3000 {\n  uri /admission\n  header_up -Expect\n}\nreverse_proxy origin:3000 {\n  header_up -Expect\n}",
);

/** The programs that fixes are for. The text of such a fix begins with the word. */
export const PROGRAM_OF_FIX: readonly (readonly [word: string, program: string])[] = [
  ["nginx", "nginx"],
  ["HAProxy", "HAProxy"],
  ["Apache", "Apache httpd"],
  ["Caddy", "Caddy"],
];
