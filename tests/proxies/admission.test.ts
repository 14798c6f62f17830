import { createHash } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import * as http from "node:http";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import {
  attach,
  authorize,
  expectations,
  maxSize,
  mediaTypes,
  type Policy,
  refuse,
  silent,
  type Upload,
} from "../../src/index.js";
import { admission } from "../../src/proxies/admission.js";
import type { ADMISSION_FIELDS, AdmissionRequest } from "../../src/proxies/admission-request.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import { closeServers, type Handler, listen, plainApp, type RunningServer } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";
import { curl, missing, ProxyProgram, replaced } from "./programs.js";

/** The shipped configurations, with HTTP/2 without TLS beside HTTP/1.1 (Caddy) or in its place (nginx). */
const PROXIES = [
  {
    name: "nginx",
    statuses: "nginx",
    start: ProxyProgram.nginx,
    withHttp2: (config: string) => replaced(config, [["listen 127.0.0.1:8080;", "listen 127.0.0.1:8080 http2;"]]),
  },
  {
    name: "caddy",
    statuses: "verbatim",
    start: ProxyProgram.caddy,
    withHttp2: (config: string) =>
      replaced(config, [["admin off", "admin off\n\tservers {\n\t\tprotocols h1 h2 h2c\n\t}"]]),
  },
] as const;

let folder: string;
let small: string;
let large: string;
const SMALL = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) % 251));

beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "expectations-content-"));
  small = path.join(folder, "small");
  large = path.join(folder, "large");
  await fs.writeFile(small, SMALL);
  await fs.writeFile(large, Buffer.alloc(3 * 2 ** 20));
});
afterAll(() => fs.rm(folder, { recursive: true, force: true }));

/** What a policy saw. */
interface Seen {
  readonly req: Partial<AdmissionRequest>;
  readonly upload: Partial<Upload>;
}

function budget(req: http.IncomingMessage) {
  if (req.headers.authorization !== "Bearer used-up") return true;
  return refuse(429, { headers: { "Retry-After": 3600 } });
}

const OK = ["-H", "Authorization: Bearer right", "-H", "Content-Type: image/png"];

describe.each(PROXIES)("$name in front", ({ name, statuses, start, withHttp2 }) => {
  const absent = missing(name, "curl");
  if (absent.length > 0) {
    test.skip(`not without ${absent.join(" and ")}`, () => {});
    return;
  }

  let proxy: ProxyProgram;
  let origin: RunningServer;
  let asked: RunningServer;
  let seen: Seen[] = [];
  /** Requests that the origin's guard accepted, with the bytes of content each brought. */
  let uploads: { url: string; bytes: number }[] = [];
  /** All that reached the origin. */
  let arrived: Pick<Partial<http.IncomingMessage>, "method" | "url" | "headers">[] = [];

  beforeAll(async () => {
    const policies: Policy[] = [
      authorize((req) => /^Bearer (?:right|used-up)$/.test(req.headers.authorization ?? ""), { challenge: "Bearer" }),
      mediaTypes(["image/*"]),
      maxSize("2mb"),
      budget,
      (req) => !req.url?.startsWith("/secret/") || refuse(409),
    ];
    const record: Policy<AdmissionRequest> = (req, upload) => {
      const { method, url, ip, protocol, headers } = req;
      const { length, expectation, mediaType } = upload;
      seen.push({ req: { method, url, ip, protocol, headers }, upload: { length, expectation, mediaType } });
      return true;
    };
    const digest: Handler = (req, res) => {
      const upload = { url: req.url ?? "", bytes: 0 };
      uploads.push(upload);
      const hash = createHash("sha256");
      req.on("data", (chunk: Buffer) => {
        upload.bytes += chunk.length;
        hash.update(chunk);
      });
      req.on("end", () => {
        res.statusCode = 201;
        res.end(hash.digest("hex"));
      });
    };
    const arrival: Handler = ({ method, url, headers }, _res, next) => {
      arrived.push({ method: method ?? "", url: url ?? "", headers });
      next();
    };
    const guard = expectations({ policies, logger: silent }) as Handler;
    origin = await listen(attach(http.createServer(plainApp({ use: [arrival, guard, digest] })), { logger: silent }));
    const endpoint = admission({ trustProxy: "loopback", policies: [record, ...policies], statuses, logger: silent });
    asked = await listen(http.createServer(endpoint));
    proxy = await start({ origin: origin.port, admission: asked.port });
  });
  afterEach(() => {
    seen = [];
    uploads = [];
    arrived = [];
    closeSessions();
  });
  afterAll(async () => {
    await proxy?.stop();
    await closeServers();
  });

  const REFUSALS: [what: string, status: number, args: () => string[], field: RegExp | undefined][] = [
    ["too large", 413, () => [...OK, "-T", large], undefined],
    [
      "of a wrong type",
      415,
      () => ["-T", small, OK[0]!, OK[1]!, "-H", "Content-Type: text/html"],
      /^accept: image\/\*/im,
    ],
    ["without credentials", 401, () => ["-T", small, "-H", "Content-Type: image/png"], /^www-authenticate: Bearer/im],
    [
      "over the budget",
      429,
      () => ["-T", small, "-H", "Content-Type: image/png", "-H", "Authorization: Bearer used-up"],
      /^retry-after: 3600/im,
    ],
  ];

  describe.each(REFUSALS)("an upload %s", (_what, status, args, field) => {
    test(`is refused with ${status}, and curl sends none of it`, async () => {
      const result = await curl(`http://127.0.0.1:${proxy.port}/a`, ["-H", "Expect: 100-continue", ...args()]);
      expect(result).toMatchObject({ status, sent: 0 });
      if (field) expect(result.headers).toMatch(field);
      expect(result.headers).toMatch(/^connection: close/im);
      expect(uploads).toEqual([]);
      expect(seen).toHaveLength(1);
    });

    test("gets the same verdict from the origin itself", async () => {
      const result = await curl(`http://127.0.0.1:${origin.port}/a`, ["-H", "Expect: 100-continue", ...args()]);
      expect(result).toMatchObject({ status, sent: 0 });
      if (field) expect(result.headers).toMatch(field);
    });

    test("does not reach the origin when it comes without waiting", async () => {
      const result = await curl(`http://127.0.0.1:${proxy.port}/a`, ["-H", "Expect:", ...args()]);
      expect(result.status).toBe(status);
      expect(uploads).toEqual([]);
    });
  });

  test("a client that waits for ever gets the refusal without a 100", async () => {
    const wire = await WireClient.connect(proxy.port);
    wire.send("PUT /a HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    const refusal = await wire.final();
    expect(refusal).toMatchObject({ status: 401, headers: { connection: "close" } });
    // nginx has its own page; Caddy waits for the content of a small upload before it closes.
    if (name === "nginx") await wire.fin();
    else expect(refusal.body).toBe("");
    expect(wire.statuses).toEqual([401]);
    wire.destroy();
  });

  test("a client that waits for ever gets one 100 for an accepted upload", async () => {
    const wire = await WireClient.connect(proxy.port);
    const fields = "Authorization: Bearer right\r\nContent-Type: image/png\r\nContent-Length: 5\r\n";
    wire.send(`PUT /a HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n${fields}\r\n`);
    await wire.status(100);
    wire.send("hello");
    expect((await wire.final()).status).toBe(201);
    expect(wire.statuses).toEqual([100, 201]);
    wire.destroy();
  });

  test.each([
    ["with a length", []],
    ["of unknown length", ["-H", "Transfer-Encoding: chunked"]],
    ["without Expect", ["-H", "Expect:"]],
  ])("an accepted upload %s arrives whole", async (_what, args) => {
    const result = await curl(`http://127.0.0.1:${proxy.port}/a?b=1`, ["-T", small, ...OK, ...args]);
    expect(result.status).toBe(201);
    expect(result.body).toBe(createHash("sha256").update(SMALL).digest("hex"));
    expect(uploads).toEqual([{ url: "/a?b=1", bytes: SMALL.length }]);
    expect(seen).toMatchObject([{ req: { method: "PUT", url: "/a?b=1" } }]);
    expect(seen[0]?.upload.length).toBe(args.includes("Transfer-Encoding: chunked") ? undefined : SMALL.length);
  });

  test("an upload of unknown length is counted by the origin's own guard", async () => {
    const args = ["-T", large, ...OK, "-H", "Transfer-Encoding: chunked"];
    expect((await curl(`http://127.0.0.1:${proxy.port}/a`, args)).status).toBe(413);
    expect((await curl(`http://127.0.0.1:${origin.port}/a`, args)).status).toBe(413);
  });

  test("policies see the request as the client sent it", async () => {
    await curl(`http://127.0.0.1:${proxy.port}/a%20b?c=%2F`, ["-T", small, ...OK, "-H", "Expect: 100-continue"]);
    expect(seen).toMatchObject([
      {
        req: {
          method: "PUT",
          url: "/a%20b?c=%2F",
          ip: "127.0.0.1",
          protocol: "http",
          headers: {
            host: `127.0.0.1:${proxy.port}`,
            authorization: "Bearer right",
            "content-type": "image/png",
            "content-length": String(SMALL.length),
            expect: "100-continue",
          },
        },
        upload: { length: SMALL.length, mediaType: "image/png", expectation: { name: "100-continue" } },
      },
    ]);
  });

  const FORGED: Record<(typeof ADMISSION_FIELDS)[number], string> = {
    "x-original-method": "GET",
    "x-original-uri": "/forged",
    "x-upload-length": "1",
    "x-original-transfer-encoding": "chunked",
    "x-original-expect": "tea",
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-host": "forged.example",
    "x-forwarded-proto": "https",
  };

  const forgeries = Object.entries(FORGED).map(([name, value]) => [name, `${name}: ${value}`] as const);
  const all = forgeries.map(([, line]) => line).join("\r\n");
  test.each([...forgeries, ["field, all of them twice,", `${all}\r\n${all}`]])(
    "a forged %s has no effect",
    async (_name, lines) => {
      for (const extra of ["X-Other: 1", lines]) {
        const wire = await WireClient.connect(proxy.port);
        const fields = `Authorization: Bearer right\r\nContent-Type: image/png\r\nContent-Length: 5\r\n${extra}\r\n`;
        wire.send(`PUT /a HTTP/1.1\r\nHost: test\r\nConnection: close\r\n${fields}\r\n`, "hello");
        expect((await wire.final()).status).toBe(201);
        wire.destroy();
      }
      expect(seen).toHaveLength(2);
      const [honest, forged] = seen.map(({ req, upload }) => {
        const { "x-other": _other, ...headers } = req.headers ?? {};
        return { req: { ...req, headers }, upload };
      });
      expect(honest).toMatchObject({ req: { method: "PUT", url: "/a" }, upload: { length: 5 } });
      expect(forged).toEqual(honest);
    },
  );

  test("a forged length is none for an upload of unknown length", async () => {
    const fields = ["-H", "X-Upload-Length: 1", "-H", "Transfer-Encoding: chunked"];
    await curl(`http://127.0.0.1:${proxy.port}/a`, ["-T", small, ...OK, ...fields]);
    expect(seen).toHaveLength(1);
    expect(seen[0]?.upload.length).toBeUndefined();
  });

  const FIELDS = "Authorization: Bearer right\r\nContent-Type: image/png\r\n";

  test("a target in absolute form is judged in the form in which the origin gets it", async () => {
    const wire = await WireClient.connect(proxy.port);
    wire.send(
      `PUT http://a.example:81/secret/1 HTTP/1.1\r\nHost: b.example\r\n${FIELDS}Content-Length: 5\r\n\r\nhello`,
    );
    expect((await wire.final()).status).toBe(409);
    expect(seen).toMatchObject([{ req: { url: "/secret/1", headers: { host: "a.example:81" } } }]);
    expect(arrived).toEqual([]);
    wire.destroy();
  });

  test.each([
    ["http://a.example:81/b%2Fc?d=1", "a.example:81", "/b%2Fc?d=1"],
    ["HTTP://a.example?d=1", "a.example", "/?d=1"],
    ["https://[::1]:81", "[::1]:81", "/"],
    ["/http://a.example/b", "b.example", "/http://a.example/b"],
    ["//a.example/b", "b.example", "//a.example/b"],
    ['/b"{c}|', "b.example", name === "caddy" ? "/b%22%7Bc%7D%7C" : '/b"{c}|'],
  ])("policies and the origin see the same target and host of PUT %s", async (target, host, url) => {
    const wire = await WireClient.connect(proxy.port);
    wire.send(`PUT ${target} HTTP/1.1\r\nHost: b.example\r\n${FIELDS}Content-Length: 5\r\n\r\nhello`);
    expect((await wire.final()).status).toBe(201);
    expect(seen).toMatchObject([{ req: { url, headers: { host, "x-forwarded-host": host } } }]);
    expect(arrived).toMatchObject([{ url, headers: { host, "x-forwarded-host": host } }]);
    wire.destroy();
  });

  const ORIGINAL: [what: string, from: string, to: string] = [
    "Caddy's orig_uri",
    "{http.request.uri}",
    "{http.request.orig_uri}",
  ];
  (name === "caddy" ? test.each([ORIGINAL]) : test.skip.each([ORIGINAL]))(
    "an endpoint that is shown %s judges an absolute form as its origin form",
    async (_what, from, to) => {
      const edit = (config: string) => replaced(config, [[from, to]]);
      const literal = await start({ origin: origin.port, admission: asked.port, edit });
      try {
        const wire = await WireClient.connect(literal.port);
        wire.send(
          `PUT http://a.example/secret/1 HTTP/1.1\r\nHost: b.example\r\n${FIELDS}Content-Length: 5\r\n\r\nhello`,
        );
        expect((await wire.final()).status).toBe(409);
        expect(seen).toMatchObject([{ req: { url: "/secret/1", headers: { host: "a.example" } } }]);
        expect(arrived).toEqual([]);
        wire.destroy();
      } finally {
        await literal.stop();
      }
    },
  );

  test("a fragment in a target hides nothing", async () => {
    const wire = await WireClient.connect(proxy.port);
    wire.send(`PUT /b#/secret/1 HTTP/1.1\r\nHost: b.example\r\n${FIELDS}Content-Length: 5\r\n\r\nhello`);
    await wire.final();
    if (name === "nginx") {
      expect(wire.statuses).toEqual([400]);
      expect(arrived).toEqual([]);
    } else {
      expect(seen).toMatchObject([{ req: { url: "/b%23/secret/1" } }]);
      expect(arrived).toMatchObject([{ url: "/b%23/secret/1" }]);
    }
    wire.destroy();
  });

  test("a GET without content passes", async () => {
    expect((await curl(`http://127.0.0.1:${proxy.port}/a`, OK)).status).toBe(201);
    // nginx shows that there is no content. Caddy does not, and asks about unsafe methods only.
    expect(seen).toMatchObject(name === "nginx" ? [{ req: { method: "GET" }, upload: { length: 0 } }] : []);
    expect(arrived).toMatchObject([{ method: "GET" }]);
  });

  const CONTENT: [method: string, fields: string, content: string][] = ["GET", "OPTIONS"].flatMap((method) => [
    [method, "Content-Length: 5", "hello"],
    [method, "Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"],
  ]);

  test.each(CONTENT)("a %s with content (%s) is no request without content", async (method, fields, content) => {
    const wire = await WireClient.connect(proxy.port);
    wire.send(`${method} /a HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer right\r\n${fields}\r\n\r\n${content}`);
    // mediaTypes refuses content without a type.
    expect(await wire.final()).toMatchObject({
      status: name === "nginx" ? 415 : 400,
      headers: { connection: "close" },
    });
    const length = fields.endsWith("5") ? 5 : undefined;
    expect(seen).toMatchObject(name === "nginx" ? [{ req: { method } }] : []);
    for (const { upload } of seen) expect(upload.length).toBe(length);
    expect(arrived).toEqual([]);
    wire.destroy();
  });

  describe("over HTTP/2", () => {
    let http2Proxy: ProxyProgram;

    beforeAll(async () => {
      http2Proxy = await start({ origin: origin.port, admission: asked.port, edit: withHttp2 });
    });
    afterAll(() => http2Proxy?.stop());

    const send = async (method: string, content: string, fields: http.OutgoingHttpHeaders = {}) => {
      const session = await openSession({ port: http2Proxy.port, isTls: false } as RunningServer);
      const request = { ":method": method, ":path": "/a", authorization: "Bearer right", ...fields };
      return exchange(session, request, { content, sendAtOnce: true });
    };

    test.each(["GET", "HEAD", "OPTIONS"])("a %s without content passes", async (method) => {
      const session = await openSession({ port: http2Proxy.port, isTls: false } as RunningServer);
      const stream = session.request({ ":method": method, ":path": "/a" }, { endStream: true });
      const [headers] = await once(stream, "response");
      expect(headers[":status"]).toBe(201);
      expect(arrived).toMatchObject([{ method }]);
    });

    test.each(["GET", "HEAD", "OPTIONS"])("a %s with content is refused by the proxy", async (method) => {
      expect((await send(method, "hello")).status).toBe(name === "nginx" ? 413 : 400);
      expect(arrived).toEqual([]);
    });

    test.each(["GET", "OPTIONS"])("a %s with one byte of content brings none of it to the origin", async (method) => {
      const { status } = await send(method, "h");
      expect(status).toBe(name === "nginx" ? 201 : 400);
      if (name === "caddy") expect(arrived).toEqual([]);
      else expect(uploads).toEqual([{ url: "/a", bytes: 0 }]);
    });

    test("a GET that declares its content is asked about, or refused", async () => {
      const { status } = await send("GET", "hello", { "content-length": 5 });
      expect(status).toBe(name === "nginx" ? 415 : 400);
      if (name === "nginx") expect(seen).toMatchObject([{ req: { method: "GET" }, upload: { length: 5 } }]);
      expect(arrived).toEqual([]);
    });

    test("an upload is one of unknown length", async () => {
      expect((await send("PUT", "hello", { "content-type": "image/png" })).status).toBe(201);
      expect(seen).toHaveLength(1);
      expect(seen[0]?.upload.length).toBeUndefined();
      expect(uploads).toEqual([{ url: "/a", bytes: 5 }]);
    });
  });

  test("a DELETE without content is one without content, where the proxy can tell", async () => {
    await curl(`http://127.0.0.1:${proxy.port}/a`, ["-X", "DELETE", ...OK]);
    expect(seen).toHaveLength(1);
    expect(seen[0]?.upload.length).toBe(name === "nginx" ? 0 : undefined);
  });

  test("nothing is let through when nobody answers the question", async () => {
    const lonely = await start({ origin: origin.port, admission: 1 });
    try {
      const result = await curl(`http://127.0.0.1:${lonely.port}/a`, [
        "-T",
        small,
        ...OK,
        "-H",
        "Expect: 100-continue",
      ]);
      expect(result.status).toBeGreaterThanOrEqual(500);
      expect(result.sent).toBe(0);
      expect(uploads).toEqual([]);
    } finally {
      await lonely.stop();
    }
  });
});
