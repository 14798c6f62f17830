/** Fields that a request on HTTP/2 must not have (RFC 9113 §8.2.2), and `host`, which `:authority` replaces there. */
export const NOT_IN_HTTP2: ReadonlySet<string> = new Set(
  "connection host http2-settings keep-alive proxy-connection transfer-encoding upgrade".split(" "),
);
