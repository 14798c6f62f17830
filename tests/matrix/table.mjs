// The matrix as data: every way into a server, every reader, every writer, every outcome. No code of a test knows more.

/** The values of each dimension. A cell has one of each. */
export const DIMENSIONS = {
  protocol: ["http", "https", "h2c", "h2"],
  // How a request gets to the application.
  way: [
    "socket",
    // Another server hands it on: `inner.emit("request", req, res)`. That server is plain, attached, or has a guard.
    "nested behind plain",
    "nested behind attached",
    "nested behind guarded",
    // The application changes the URL and emits the request on its own server again.
    "re-emitted",
    // light-my-request, as Fastify's `inject` does.
    "injected",
    // The content is read by a listener of HTTP/2's `stream`, next to the application.
    "stream listener",
    // `Upgrade` on a server that has no listener for it.
    "upgrade not taken",
    // `server.emit("connection", duplex)`
    "duplex",
  ],
  // Where the guard is.
  mount: ["attach", "middleware", "express", "auto-attached"],
  // What the client sends, and when.
  client: ["waits", "waits, chunked", "pushes Expect", "pushes", "pushes chunked", "HTTP/1.0"],
  size: ["small", "large"],
  verdict: ["at once", "later"],
  outcome: ["accepted", "refused", "cut off", "left by FIN", "left by RST", "left by RST_STREAM"],
  // Who reads the content.
  reader: [
    "nobody",
    "resume",
    "data",
    "readable",
    "async iterator",
    "pipe",
    "pipeline",
    "express.raw",
    "express.json",
    "req.stream data",
    "req.stream iterator",
  ],
  // When it is read: before the response, while it is written, after its head, after all of it.
  when: ["before", "during", "behind head", "after"],
  // Who writes the final status.
  writer: [
    "end",
    "writeHead",
    "write",
    "subclass",
    "patched prototype",
    "wrapped end",
    "deferred end",
    "end once",
    "flushHeaders",
    "stream.pipe(res)",
    "respond",
  ],
};

const HTTP1 = ["http", "https"];
const HTTP2 = ["h2c", "h2"];
const PARSERS = ["express.raw", "express.json"];
const STREAM_READERS = ["req.stream data", "req.stream iterator"];
const LEFT = ["left by FIN", "left by RST", "left by RST_STREAM"];
const CLOSED_WRITERS = ["end", "subclass", "patched prototype", "wrapped end", "deferred end", "end once"];
const REQUEST_READERS = DIMENSIONS.reader.filter((reader) => !STREAM_READERS.includes(reader));

/** Cells that cannot be: those that have one of the values in each of the named dimensions. */
export const EXCLUSIONS = [
  { why: "HTTP/2 is another protocol than HTTP/1.0", when: { protocol: HTTP2, client: ["HTTP/1.0"] } },
  { why: "HTTP/2 has no Upgrade", when: { protocol: HTTP2, way: ["upgrade not taken"] } },
  { why: "Express has no HTTP/2", when: { protocol: HTTP2, mount: ["express"] } },
  {
    why: "body-parser takes content without Content-Length for none on HTTP/2",
    when: { protocol: HTTP2, reader: PARSERS, client: ["waits, chunked", "pushes chunked"] },
  },
  { why: "HTTP/1 has no streams", when: { protocol: HTTP1, way: ["stream listener"] } },
  { why: "HTTP/1 has no streams", when: { protocol: HTTP1, reader: STREAM_READERS } },
  { why: "HTTP/1 has no streams", when: { protocol: HTTP1, writer: ["respond"] } },
  { why: "HTTP/1 has no streams", when: { protocol: HTTP1, outcome: ["left by RST_STREAM"] } },
  { why: "HTTP/1.0 has no Upgrade", when: { way: ["upgrade not taken"], client: ["HTTP/1.0"] } },
  { why: "injected requests are HTTP/1.1", when: { way: ["injected"], protocol: ["https", ...HTTP2] } },
  { why: "injected requests are HTTP/1.1", when: { way: ["injected"], client: ["HTTP/1.0"] } },
  {
    why: "the content of an injected request is there",
    when: { way: ["injected"], client: ["waits", "waits, chunked"] },
  },
  { why: "the client of an injected request cannot leave", when: { way: ["injected"], outcome: LEFT } },
  { why: "light-my-request makes its own response", when: { way: ["injected"], writer: ["subclass"] } },
  { why: "a stream listener reads the stream", when: { way: ["stream listener"], reader: REQUEST_READERS } },
  { why: "a stream listener reads at once", when: { way: ["stream listener"], when: ["behind head", "after"] } },
  { why: "only a whole response can be wrapped like this", when: { writer: CLOSED_WRITERS, when: ["behind head"] } },
  {
    why: "over a Duplex, Node keeps an HTTP/2 session whose client has ended its side (--plain)",
    when: { protocol: ["h2c"], way: ["duplex"], outcome: ["left by FIN"] },
  },
  {
    why: "Node itself aborts when HTTP/2 with large content comes over TLS over a Duplex (--plain)",
    when: { protocol: ["h2"], way: ["duplex"] },
  },
  ...[{ mount: ["auto-attached"] }, { way: ["nested behind guarded"] }].flatMap((byGuard) => [
    {
      why: "a guard that attaches its server has the default of bodyTimeoutMs, a minute",
      when: { ...byGuard, client: ["waits", "waits, chunked"], when: ["behind head"] },
    },
    {
      why: "Node loses resets over TLS, which then end by bodyTimeoutMs, too",
      when: { ...byGuard, protocol: ["https", "h2"], outcome: ["left by RST"] },
    },
  ]),
  { why: "nobody reads", when: { reader: ["nobody"], when: ["during", "behind head", "after"] } },
];
