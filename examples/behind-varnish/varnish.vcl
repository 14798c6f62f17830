# Varnish passes the bytes of requests with content on, in both directions, so that the handshake is the origin's.
# Start it with: varnishd -F -n "$(mktemp -d)" -a 127.0.0.1:8080 -f "$PWD/examples/behind-varnish/varnish.vcl"
vcl 4.1;

import std;

backend origin {
  .host = "127.0.0.1";
  .port = "3000";
}

sub vcl_recv {
  if (req.http.Content-Length || req.http.Transfer-Encoding) {
    # Without it, Varnish answers `100 Continue` itself, at once.
    std.late_100_continue(true);
    return (pipe);
  }
}

sub vcl_pipe {
  # Varnish has taken the field off, and does not tell who sent it: others may see a 100, too.
  if (req.proto == "HTTP/1.1") {
    set bereq.http.Expect = "100-continue";
  }
  return (pipe);
}
