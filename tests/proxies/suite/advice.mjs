// What to write into each proxy's configuration, and why. `best` are names of set-ups.
export const ADVICE = {
  nginx: {
    best: ["nginx, `auth_request`", "nginx, `stream`"],
    text: "`proxy_pass` removes `Expect` and sends the `100` itself, with buffering on or off. With `auth_request`, nginx checks the head of each request with the same policies, and takes no content before they have accepted. nginx does not show whether an HTTP/2 request without `Content-Length` has content. So over HTTP/2 the file does not ask about a GET, HEAD, OPTIONS or TRACE without `Content-Length`. nginx refuses such a request with 413 if it has content. `stream` passes bytes on, and does nothing else that nginx does for HTTP. Without `proxy_half_close on` it resets clients when the server behind it ends its side. Never pass `Expect` on with `proxy_set_header`. nginx still sends its own `100`, and every accepted upload hangs. Above `client_max_body_size` (1 MiB by default), nginx refuses by itself. In the file it is 0.",
  },
  Apache: {
    best: ["Apache, `ping=5`"],
    text: "`ProxyPass` passes the handshake on as it comes. With `ping=5`, Apache adds `Expect` for clients that did not send it, and keeps the content until the app has accepted. If the app does not respond within these seconds, the client gets a 503. Leave `Proxy100Continue` at `On`.",
  },
  ModSecurity: {
    best: ["Apache with ModSecurity, content of uploads not inspected"],
    text: "The OWASP Core Rule Set forbids `Expect` by default since version 4.20, by rule 920450. Uploads of curl and of the AWS SDKs then fail with a 403, after all of their content was sent. For ModSecurity reads the content before it decides, and Apache sends the `100` for that. The measured rules are Debian's, with the list of 4.20. `expect.conf` lets exactly one `Expect: 100-continue` through on the paths of uploads. Other values of the field, and the field on other paths, stay forbidden. This alone makes uploads work, but content that is inspected is read before your application is asked. With `ctl:requestBodyAccess=Off` on these paths the handshake is the application's own. It then has to check the content by itself. In all three files the rules allow PUT and the types of the uploads, which they do not by default.",
  },
  HAProxy: {
    best: ["HAProxy, `Connection: close` set"],
    text: "`mode http` passes the handshake on, but removes `Connection: close` from a refusal. It then waits for the content that the client keeps back, and reads the client's next request on that connection as that content. If a client repeats the upload there, as curl does after a 417, a part of its file is executed as a request. The same happens after a success without a `100` before it. Two lines send `Connection: close` to every client that sent `Expect`, because HAProxy does not show whether the `100` has come. So an accepted upload with `Expect` costs the connection, too. `mode tcp` does not need this. `option http-buffer-request` makes HAProxy send the `100` itself.",
  },
  Caddy: {
    best: ["Caddy, `forward_auth`"],
    text: "`reverse_proxy` alone sends a `100` at once, and later the app's. With `expect_continue_timeout`, it waits for the app's `100` and passes it on, and refusals come before the content. But in a few of a thousand uploads Caddy begins to read before it has passed the `100` on. Then there are two again, and some clients fail. `forward_auth` asks the policies of an endpoint first. With `header_up -Expect` towards the app, Caddy sends the only `100`. Caddy does not show whether a request without `Content-Length` has content. So the file asks about unsafe methods only, and refuses a GET, HEAD, OPTIONS or TRACE with content. If such a request has `Expect` and no `Content-Length`, Caddy sends the `100` before it refuses. Show the endpoint `{http.request.uri}`, which is what the app gets; `{http.request.orig_uri}` is as the client wrote it. If an upload with `Expect` is pushed without waiting, its refusal is followed by a reset within a millisecond.",
  },
  Squid: {
    best: ["Squid, `accel`"],
    text: "Passes the handshake on as it comes, as an accelerator and as a forward proxy. It refuses unknown expectations by itself. To an HTTP/1.0 client that sends `Expect` it passes the app's `100` on, because it asks the app in HTTP/1.1. HTTP forbids that. Do not set `force_request_body_continuation`.",
  },
  Varnish: {
    best: ["Varnish, `return (pipe)`"],
    text: "The built-in rules send the `100` at once. `return (pipe)` passes the bytes of requests with content on, and `std.late_100_continue(true)` keeps Varnish from sending the `100` first. Varnish has removed `Expect` by then, so `vcl_pipe` sets it again for every HTTP/1.1 request with content. A client that sent none may therefore see a `100`, which HTTP allows. A piped connection serves no further request.",
  },
  lighttpd: {
    best: ["lighttpd, `mod_sockproxy`"],
    text: "`mod_proxy` removes `Expect` and sends the `100` itself. `server.stream-request-body = 2` does not change that, but the refusal then comes during the upload instead of after it. `mod_sockproxy` passes bytes on.",
  },
  nghttpx: {
    best: ["nghttpx"],
    text: "Passes the handshake on as it comes. It closes a refused connection while content is still arriving. Some clients that send without waiting see a reset instead of the refusal.",
  },
  "Traffic Server": {
    best: ["Traffic Server"],
    text: "Passes the handshake on as it comes, and closes early as nghttpx does. After a final status instead of the `100`, it keeps the connection, and executes content that is still coming as a request. `expect.conf`, for its plugin `header_rewrite`, ends the connection of a client that sent `Expect` with the response. It also ends the connection to the app after each request with content. Otherwise Traffic Server sends another client's request on it, and an app that has responded early reads that request as the content. `proxy.config.http.request_buffer_enabled` makes it worse: every such refusal is then lost.",
  },
  "http-proxy, http-proxy-3, http-proxy-middleware": {
    best: [],
    text: "Alone, they are servers of Node like any other: the `100` is sent before they run. With `attach()`, `holdExpectation()` in front and `relayExpectation()` in `proxyReq`, the app's own response reaches the client first. See [examples/node-proxy](../examples/node-proxy). `http-proxy`, `http-proxy-3` and `http-proxy-middleware` 3 set `Content-Length: 0` on a DELETE or OPTIONS with chunked content, and send the content after it. If the connection is kept, the app executes the content as a request. `holdExpectation()` refuses such a request with 411.",
  },
  "More than one": {
    best: [],
    text: "Each hop of a chain must pass the handshake on by itself.",
  },
};
