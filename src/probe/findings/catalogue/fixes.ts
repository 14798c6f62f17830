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
/** The probe sends what uploads send. */
export const CREDENTIALS: Fix = client(
  "Probe with the credentials that your uploads have.",
  "express-expectations probe -u NAME:PASSWORD URL\nexpress-expectations probe -H 'Authorization: Bearer TOKEN' URL",
);
/** nginx asks the origin before it reads the content. */
export const ASK_FIRST: Fix = proxy(
  "nginx: ask the origin first, in a request without content. This needs the endpoint that admission() makes, here on port 3001. examples/nginx-auth-request has the whole set-up, in which refusals keep their own status.",
  `# in http { }
map "$server_protocol|$http_content_length|$http_transfer_encoding" $upload_length {
  "~^HTTP/1\\.[01]\\|\\|$" 0;
  default $http_content_length;
}
# in server { }, in place of the location for uploads
client_max_body_size 0;
location / {
  auth_request /admission;
  error_page 403 = @refused;
  proxy_pass http://127.0.0.1:3000;
  proxy_http_version 1.1;
  proxy_request_buffering off;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
}
location = /admission {
  internal;
  proxy_pass http://127.0.0.1:3001;
  proxy_pass_request_body off;
  proxy_set_header Content-Length "";
  proxy_set_header Host $http_host;
  proxy_set_header X-Original-Method $request_method;
  proxy_set_header X-Original-URI $request_uri;
  proxy_set_header X-Upload-Length $upload_length;
  proxy_set_header X-Original-Transfer-Encoding $http_transfer_encoding;
  proxy_set_header X-Original-Expect $http_expect;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Host $http_host;
  proxy_set_header X-Forwarded-Proto $scheme;
}
location @refused {
  internal;
  keepalive_timeout 0;
  return 403;
}`,
);
/** Apache httpd passes the handshake on. */
export const PASS_ON: Fix = proxy(
  "Apache: let the origin send the 100, and remove Proxy100Continue Off. This needs mod_proxy_http.",
  'ProxyPass "/" "http://127.0.0.1:3000/" ping=5',
);
/** HAProxy does not wait for the content. */
export const HAPROXY: Fix = proxy(
  "HAProxy: do not wait for the content of uploads.",
  "# in the frontend and in the backend\nno option http-buffer-request",
);
/** HAProxy keeps `Connection: close` on refusals. */
export const HAPROXY_CLOSES: Fix = proxy(
  "HAProxy removes the origin's Connection: close. Add it again.",
  "# in the frontend\nhttp-request set-var(txn.expect) req.hdr(Expect)\nhttp-after-response set-header Connection close if { var(txn.expect) -m found }",
);
/** Caddy asks the origin first. */
export const CADDY: Fix = proxy(
  "Caddy: ask the origin first, and do not forward Expect. This needs the endpoint that admission() makes, here on port 3001: examples/behind-caddy.",
  `# in the site, in place of reverse_proxy
@unsafe not method GET HEAD OPTIONS TRACE
handle @unsafe {
	forward_auth 127.0.0.1:3001 {
		uri /
		header_up X-Original-Method {http.request.orig_method}
		header_up X-Original-URI {http.request.uri}
		header_up X-Upload-Length {http.request.header.Content-Length}
		header_up X-Original-Transfer-Encoding {http.request.header.Transfer-Encoding}
		header_up X-Original-Expect {http.request.header.Expect}
		header_up -Expect
	}
}
reverse_proxy 127.0.0.1:3000 {
	header_up -Expect
}`,
);
/** Varnish passes bytes on. */
export const VARNISH: Fix = proxy(
  "Varnish: pass the bytes of uploads on. examples/behind-varnish has the whole file.",
  `# in the VCL, with import std;
sub vcl_recv {
  if (req.http.Content-Length || req.http.Transfer-Encoding) {
    std.late_100_continue(true);
    return (pipe);
  }
}
sub vcl_pipe {
  if (req.proto == "HTTP/1.1") {
    set bereq.http.Expect = "100-continue";
  }
  return (pipe);
}`,
);
/** lighttpd passes bytes on. */
export const LIGHTTPD: Fix = proxy(
  "lighttpd: use mod_sockproxy, which passes bytes on, in place of mod_proxy. examples/behind-lighttpd has the whole file.",
);
/** The rules of a firewall let the handshake pass. */
export const LET_THROUGH: Fix = proxy(
  "With the OWASP Core Rule Set: let exactly 100-continue pass on the paths of uploads, and do not inspect their content. examples/behind-modsecurity has the whole file.",
  `# in REQUEST-900-EXCLUSION-RULES-BEFORE-CRS.conf
SecRule REQUEST_FILENAME "@beginsWith /files/" "id:10417,phase:1,pass,nolog,t:none,chain"
  SecRule &REQUEST_HEADERS:Expect "@eq 1" "t:none,chain"
    SecRule REQUEST_HEADERS:Expect "@rx ^(?i:100-continue)$" "t:none,\\
      ctl:ruleRemoveTargetById=920450;REQUEST_HEADERS_NAMES:Expect"
SecRule REQUEST_FILENAME "@beginsWith /files/" "id:10100,phase:1,pass,nolog,t:none,ctl:requestBodyAccess=Off"`,
);

/** The programs that fixes are for. The text of such a fix begins with the word. */
export const PROGRAM_OF_FIX: readonly (readonly [word: string, program: string])[] = [
  ["nginx", "nginx"],
  ["HAProxy", "HAProxy"],
  ["Apache", "Apache httpd"],
  ["Caddy", "Caddy"],
  ["Varnish", "Varnish"],
  ["lighttpd", "lighttpd"],
];
