// What to write into each proxy's configuration, and why. `best` are names of set-ups.
export const ADVICE = {
  nginx: {
    best: ["nginx, `auth_request`", "nginx, `stream`"],
    text: "`proxy_pass` takes `Expect` off and answers it itself, with buffering on or off. With `auth_request`, nginx puts the head of each request before the same policies and takes no content before they have said yes. nginx does not show whether an HTTP/2 request without `Content-Length` has content. So over HTTP/2 the file does not ask about a GET, HEAD, OPTIONS or TRACE without `Content-Length`, and nginx refuses it with 413 if it has content. `stream` passes bytes on, and does nothing else that nginx does for HTTP; without `proxy_half_close on` it resets clients at the first end of what stands behind it. Never pass `Expect` on with `proxy_set_header`: nginx answers it itself all the same, and then every accepted upload hangs. Above `client_max_body_size`, 1 MiB, nginx refuses by itself; it is 0 here.",
  },
  Apache: {
    best: ["Apache, `ping=5`"],
    text: "`ProxyPass` carries the handshake through as it comes. With `ping=5`, Apache sends `Expect` along for clients that did not, and keeps the content until the app has said yes; what is not answered within these seconds is a 503. Leave `Proxy100Continue` at `On`.",
  },
  HAProxy: {
    best: ["HAProxy, `Connection: close` set"],
    text: "`mode http` carries the handshake through, but takes `Connection: close` off a refusal and goes on waiting for the content that the client holds back: the client's next request on that connection is swallowed as that content. A client that repeats the upload there, as curl does after a 417, has a part of its file executed as a request. The same goes for a success that comes without a `100` before it. Two lines say `Connection: close` to every client that sent `Expect`, because HAProxy does not show whether the `100` has come. An accepted upload with `Expect` costs the connection, too. `mode tcp` needs none of it. `option http-buffer-request` makes HAProxy send the `100` itself.",
  },
  Caddy: {
    best: ["Caddy, `forward_auth`"],
    text: "`reverse_proxy` alone sends a `100` at once and the app's behind it. With `expect_continue_timeout` the app's is waited for and passed on, and refusals come before the content; but in some of a thousand uploads Caddy begins to read before it has passed it on, and then there are two again, which some clients do not survive. `forward_auth` asks the policies of an endpoint first; with `header_up -Expect` towards the app, the one `100` is Caddy's. Caddy does not show whether a request without `Content-Length` has content. So the file asks about unsafe methods only, and refuses a GET, HEAD, OPTIONS or TRACE with content; if such a request has `Expect` and no `Content-Length`, Caddy sends the `100` before it refuses. Show the endpoint `{http.request.uri}`, which is what the app gets; `{http.request.orig_uri}` is as the client wrote it. A refusal of an upload that has `Expect` and is pushed without waiting is followed by a reset within a millisecond.",
  },
  Squid: {
    best: ["Squid, `accel`"],
    text: "Carries the handshake through as it comes, as an accelerator and as a forward proxy; it refuses unknown expectations by itself. To an HTTP/1.0 client that sends `Expect` it passes the app's `100` on, which HTTP forbids: it asks the app in HTTP/1.1. Leave `force_request_body_continuation` out.",
  },
  Varnish: {
    best: ["Varnish, `return (pipe)`"],
    text: "The built-in rules send the `100` at once. `return (pipe)` for requests with content passes bytes on; `std.late_100_continue(true)` keeps Varnish from answering first; and since Varnish has taken `Expect` off, `vcl_pipe` sets it again, for every HTTP/1.1 request with content. So a client that sent none may see a `100` too, which HTTP allows. A piped connection serves no further request.",
  },
  lighttpd: {
    best: ["lighttpd, `mod_sockproxy`"],
    text: "`mod_proxy` takes `Expect` off and answers it itself; `server.stream-request-body = 2` changes nothing about that, but the refusal comes while the content is under way instead of behind it. `mod_sockproxy` passes bytes on.",
  },
  nghttpx: {
    best: ["nghttpx"],
    text: "Carries the handshake through as it comes. It closes a refused connection while content is still arriving, so that some of those who send without waiting see a reset in place of the refusal.",
  },
  "Traffic Server": {
    best: ["Traffic Server"],
    text: "Carries the handshake through as it comes, and closes early as nghttpx does. After a final status in place of the `100`, it keeps the connection and executes content that is still coming as a request. `expect.conf`, for its plugin `header_rewrite`, ends the connection of a client that sent `Expect` with the response. It also ends the connection to the app behind each request with content: else Traffic Server sends another client's request there, which an app that has answered early takes for the content. `proxy.config.http.request_buffer_enabled` makes it worse: then every such refusal is lost.",
  },
  "http-proxy, http-proxy-3, http-proxy-middleware": {
    best: [],
    text: "By themselves they are servers of Node like any other: the `100` is sent before they run. Behind `attach()`, with `holdExpectation()` in front and `relayExpectation()` in `proxyReq`, the app's own answer reaches the client first: [examples/node-proxy](../examples/node-proxy). `http-proxy`, `http-proxy-3` and `http-proxy-middleware` 3 set `Content-Length: 0` on a DELETE or OPTIONS with chunked content and send the content behind it, which the app executes as a request if the connection is kept. `holdExpectation()` refuses such a request with 411.",
  },
  "More than one": {
    best: [],
    text: "A chain is as good as its weakest part: each hop must carry the handshake through by itself.",
  },
};
