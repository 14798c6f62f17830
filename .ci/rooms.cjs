// The rooms of src/ and the rooms that each may import from. Imports of types count. `npm run lint` enforces this list
// (.ci/dependency-cruiser.cjs), and `npm run docs` draws it into docs/architecture.md. A file belongs to the
// room with the longest path that fits.

/** @type {Readonly<Record<string, readonly string[]>>} */
exports.ROOMS = {
  "index.ts": [
    "preflight",
    "proxies",
    "guard",
    "policies",
    "server",
    "response",
    "handshake",
    "observe",
    "http",
    "support",
  ],
  preflight: ["hearing", "guard", "policies", "server", "response", "handshake", "observe", "node", "http", "support"],
  proxies: ["hearing", "guard", "policies", "server", "response", "handshake", "observe", "node", "http", "support"],
  hearing: ["policies", "handshake", "observe", "http", "support"],
  guard: ["policies", "server", "response", "handshake", "observe", "node", "http", "support"],
  server: ["response", "handshake", "observe", "node", "http", "support"],
  response: ["handshake", "observe", "node", "http", "support"],
  handshake: ["observe", "node", "http", "support"],
  observe: ["node", "http", "support"],
  policies: ["http", "support"],
  http: ["support"],
  node: ["http", "support"],
  support: [],

  "observe/prometheus.ts": ["metrics", "observe", "http", "support"],
  metrics: ["observe", "http", "support"],
  opentelemetry: ["response", "observe", "http", "support"],
  // Runs in pages, and is built alone.
  browser: [],
  dashboard: ["report", "pages", "observe", "http", "support"],

  client: ["node", "http", "support"],
  testing: ["http", "probe", "server", "support"],

  schema: ["probe", "report", "pages", "http", "support"],
  cli: ["client", "probe", "report", "pages", "http", "support"],
  probe: ["pages", "http", "support"],
  report: ["pages", "http", "support"],
  pages: ["support"],
  // Run in pages, and are bundled into one text each.
  "pages/browser": ["pages", "report", "http", "support"],
};

/**
 * Packages from the registry, and the only places in src/ that import them.
 *
 * @type {Readonly<Record<string, readonly string[]>>}
 */
exports.PACKAGES = {
  "proxy-addr": ["proxies"],
  "structured-headers": ["http/digest.ts", "http/upload-fields.ts"],
  // Bundled into the command line and the pages.
  "pretty-bytes": ["pages/bytes.ts"],
  "string-width": ["cli/wrap.ts"],
  "wrap-ansi": ["cli/wrap.ts"],
  preact: ["pages/browser"],
  uplot: ["pages/browser"],
  tinyglobby: ["cli/report/names.ts"],
  "prom-client": ["observe/prometheus.ts", "metrics"],
  "@opentelemetry/api": ["opentelemetry"],
};
