// The set-ups that are measured: which proxy, with which configuration.
import { fileURLToPath } from "node:url";

/**
 * @typedef {object} Hop
 * @property {string} program - a name of PROGRAMS
 * @property {string[]} files - from the repository's root, the configuration first
 * @property {string[]} [args]
 * @property {"nginx" | "verbatim"} [asks] - how the endpoint that it asks first answers
 *
 * @typedef {object} Setup
 * @property {string} name
 * @property {"default" | "best" | "default and best" | "other" | "chain"} kind
 * @property {Hop[]} hops - in the order in which a request meets them
 * @property {{ file: string, package: string }} [needs] - a module beside its program
 * @property {Record<string, number>} [oftener] - exchanges that are played so many times more often, since what goes
 *   wrong with them goes wrong seldom
 * @property {boolean} [isTls] - whether clients speak TLS with the first
 * @property {boolean} [isForward] - whether clients ask the first for the origin's whole URL
 */

const CONFIGS = "tests/proxies/suite/configs";
export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

// Debian's builds have it as a module.
const STREAM = { file: "/usr/lib/nginx/modules/ngx_stream_module.so", package: "libnginx-mod-stream" };

// The rules, with the module of Apache that they depend on.
const CRS = {
  file: "/usr/share/modsecurity-crs/owasp-crs.load",
  package: "libapache2-mod-security2 and modsecurity-crs",
};

const one = (program, kind, name, file, { needs, oftener, ...more } = {}) => ({
  name,
  kind,
  needs,
  oftener,
  hops: [{ program, files: [file].flat(), ...more }],
});
// What Node alone loses to resets it loses in races.
const node = (name, kind, ...args) => {
  const title = args[1] ? `${name} with \`relayExpectation\`` : name;
  return one("Node", kind, title, `${CONFIGS}/node.mjs`, { args, oftener: kind === "default" ? { pushed: 10 } : {} });
};

const caddy = { program: "Caddy", files: ["examples/behind-caddy/Caddyfile"], asks: "verbatim" };

/** @type {Setup[]} */
export const SETUPS = [
  one("nginx", "default", "nginx, `proxy_pass`", `${CONFIGS}/nginx.conf`),
  one("nginx", "other", "nginx, `proxy_request_buffering off`", `${CONFIGS}/nginx-unbuffered.conf`),
  one("nginx", "other", "nginx, `proxy_set_header Expect`", `${CONFIGS}/nginx-expect.conf`),
  one("nginx", "best", "nginx, `auth_request`", "examples/nginx-auth-request/nginx.conf", { asks: "nginx" }),
  one("nginx", "best", "nginx, `stream`", "examples/behind-nginx/nginx.conf", { needs: STREAM }),
  one("Apache", "default", "Apache, `ProxyPass`", `${CONFIGS}/apache.conf`),
  one("Apache", "best", "Apache, `ping=5`", "examples/behind-apache/apache.conf"),
  one("Apache", "other", "Apache, `Proxy100Continue Off`", `${CONFIGS}/apache-continue-off.conf`),
  one("ModSecurity", "default", "Apache with ModSecurity, CRS 4.20's list", `${CONFIGS}/modsecurity.conf`, {
    needs: CRS,
  }),
  one(
    "ModSecurity",
    "other",
    "Apache with ModSecurity, `100-continue` let through",
    `${CONFIGS}/modsecurity-inspected.conf`,
    {
      needs: CRS,
    },
  ),
  one(
    "ModSecurity",
    "best",
    "Apache with ModSecurity, content of uploads not inspected",
    ["apache.conf", "expect.conf"].map((file) => `examples/behind-modsecurity/${file}`),
    { needs: CRS },
  ),
  one("HAProxy", "default", "HAProxy, `mode http`", `${CONFIGS}/haproxy.cfg`),
  one("HAProxy", "best", "HAProxy, `Connection: close` set", "examples/behind-haproxy/haproxy.cfg"),
  one("HAProxy", "other", "HAProxy, `mode tcp`", `${CONFIGS}/haproxy-tcp.cfg`),
  one("HAProxy", "other", "HAProxy, `option http-buffer-request`", `${CONFIGS}/haproxy-buffer-request.cfg`),
  one("Caddy", "default", "Caddy, `reverse_proxy`", `${CONFIGS}/Caddyfile`),
  one("Caddy", "other", "Caddy, `expect_continue_timeout`", `${CONFIGS}/Caddyfile-timeout`, {
    oftener: { accepted: 150 },
  }),
  one("Caddy", "best", "Caddy, `forward_auth`", "examples/behind-caddy/Caddyfile", { asks: "verbatim" }),
  one("Squid", "default and best", "Squid, `accel`", "examples/behind-squid/squid.conf"),
  one("Squid", "other", "Squid, `force_request_body_continuation`", `${CONFIGS}/squid-force-continuation.conf`),
  one("Varnish", "default", "Varnish, built-in VCL", `${CONFIGS}/varnish.vcl`),
  one("Varnish", "best", "Varnish, `return (pipe)`", "examples/behind-varnish/varnish.vcl"),
  one("lighttpd", "default", "lighttpd, `mod_proxy`", `${CONFIGS}/lighttpd.conf`),
  one("lighttpd", "other", "lighttpd, `server.stream-request-body`", `${CONFIGS}/lighttpd-stream.conf`),
  one("lighttpd", "best", "lighttpd, `mod_sockproxy`", "examples/behind-lighttpd/lighttpd.conf"),
  one("nghttpx", "default and best", "nghttpx", "examples/behind-nghttpx/nghttpx.conf", { oftener: { pushed: 10 } }),
  one(
    "Traffic Server",
    "best",
    "Traffic Server",
    ["records.config", "remap.config", "expect.conf"].map((file) => `examples/behind-trafficserver/${file}`),
    { oftener: { pushed: 10 } },
  ),
  node("http-proxy", "default", "http-proxy"),
  node("http-proxy", "best", "http-proxy", "relay"),
  node("http-proxy-3", "default", "http-proxy-3"),
  node("http-proxy-3", "best", "http-proxy-3", "relay"),
  node("http-proxy-middleware", "default", "http-proxy-middleware"),
  node("http-proxy-middleware", "best", "http-proxy-middleware", "relay"),
  {
    name: "nginx (TLS) → Caddy",
    kind: "chain",
    isTls: true,
    needs: STREAM,
    hops: [{ program: "nginx", files: [`${CONFIGS}/chain-nginx.conf`] }, caddy],
  },
  {
    name: "HAProxy (TLS) → Caddy",
    kind: "chain",
    isTls: true,
    hops: [{ program: "HAProxy", files: [`${CONFIGS}/chain-haproxy.cfg`] }, caddy],
  },
  {
    name: "Squid as a forward proxy",
    kind: "chain",
    isForward: true,
    hops: [{ program: "Squid", files: [`${CONFIGS}/squid-forward.conf`] }],
  },
];

/** The proxies of the shorter form. */
export const SHORT = new Set(["nginx", "HAProxy", "Apache", "ModSecurity", "Caddy"]);

export const isBest = ({ kind }) => kind.includes("best");
