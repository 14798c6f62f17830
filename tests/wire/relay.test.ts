import * as http from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterEach, describe, expect, test } from "@jest/globals";
import { attach, expectations, handshakeOf, refuse, silent } from "../../src/index.js";
import { holdExpectation, relayExpectation } from "../../src/proxies/relay.js";
import { deadline } from "../helpers/deadline.js";
import { CONTINUE, closeOrigins, Origin, ok, refusing } from "../helpers/origin.js";
import { closeServers, type Handler, listen, plainApp, recordingLogger } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

afterEach(closeOrigins);
afterEach(closeServers);

interface FrontOptions {
  readonly use?: readonly Handler[];
  readonly agent?: http.Agent | false;
  /** How the content gets to the origin. */
  readonly send?: (req: http.IncomingMessage, proxyReq: http.ClientRequest) => void;
  readonly onError?: (error: Error) => void;
}

const NOT_COPIED = new Set(["expect", "connection"]);

/** A proxy of plain http.request in front of `port`. */
function proxyTo(port: number, options: FrontOptions = {}): Handler {
  return (req, res) => {
    const headers = Object.fromEntries(Object.entries(req.headers).filter(([name]) => !NOT_COPIED.has(name)));
    const proxyReq = http.request({
      host: "127.0.0.1",
      port,
      method: req.method,
      path: req.url,
      headers,
      agent: options.agent ?? false,
    });
    relayExpectation(req, res, proxyReq);
    proxyReq.on("error", (error) => {
      options.onError?.(error);
      res.statusCode = 599;
      res.end("the proxy's own");
    });
    proxyReq.on("response", (response) => {
      res.writeHead(response.statusCode ?? 0, response.headers);
      response.pipe(res);
    });
    if (options.send) options.send(req, proxyReq);
    else req.pipe(proxyReq);
  };
}

async function front(handler: Handler, use: readonly Handler[] = [], logger = silent) {
  const server = attach(http.createServer(plainApp({ use, routes: { "/up": handler } })), { logger });
  const { port } = await listen(server);
  return WireClient.connect(port);
}

const HEAD = "PUT /up HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n";

describe("relayExpectation", () => {
  test("passes the origin's 100 on, once, and then the content", async () => {
    const origin = await Origin.start((text, socket) => {
      // Late: nothing may have moved until then.
      if (text.endsWith("\r\n\r\n")) setTimeout(() => socket.write(CONTINUE), 100);
      if (text.endsWith("hello")) socket.write("HTTP/1.1 201 Created\r\nContent-Length: 6\r\n\r\nstored");
    });
    const wire = await front(proxyTo(origin.port));
    wire.send(`${HEAD}\r\n`);
    await origin.until("the head", () => origin.text.includes("\r\n\r\n"));
    expect(origin.head).toMatch(/^Expect: 100-continue$/im);
    expect(wire.text).toBe("");
    await wire.status(100);
    expect(origin.body).toBe("");
    wire.send("hello");
    expect(await wire.final()).toMatchObject({ status: 201, body: "stored" });
    expect(wire.statuses).toEqual([100, 201]);
    expect(origin.body).toBe("hello");
  });

  test("passes the origin's refusal on with status, fields and body, and closes; no byte of content moves", async () => {
    const origin = await Origin.start(
      refusing(
        "415 Unsupported",
        "Accept: image/*\r\nKeep-Alive: timeout=9\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n",
      ),
    );
    const wire = await front(proxyTo(origin.port));
    wire.send(`${HEAD}\r\n`);
    const refusal = await wire.final();
    expect(refusal).toMatchObject({ status: 415, body: "no", headers: { accept: "image/*", connection: "close" } });
    expect(refusal.headers["keep-alive"]).toBeUndefined();
    expect(refusal.headers["x-hop"]).toBeUndefined();
    await wire.closed();
    expect(wire.statuses).toEqual([415]);
    expect(origin.body).toBe("");
  });

  test("uses the connection of a refused upload for nothing else", async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const origin = await Origin.start(refusing("413 Too Large"));
    const handler = proxyTo(origin.port, { agent });
    for (const _ of [1, 2]) {
      const wire = await front(handler);
      wire.send(`${HEAD}\r\n`);
      expect((await wire.final()).status).toBe(413);
    }
    expect(origin.sockets).toHaveLength(2);
    await origin.until("both ended", () => origin.ends === 2);
    agent.destroy();
  });

  test("keeps the connections of an accepted upload, on both sides", async () => {
    const agent = new http.Agent({ keepAlive: true });
    const origin = await Origin.start(ok);
    const wire = await front(proxyTo(origin.port, { agent }));
    for (const n of [1, 2]) {
      wire.send(`${HEAD}\r\n`);
      await wire.until(`100 number ${n}`, () => wire.statuses.filter((status) => status === 100).length === n);
      wire.send("hello");
      expect((await wire.final(n)).headers.connection).toBe("keep-alive");
    }
    expect(wire.statuses).toEqual([100, 201, 100, 201]);
    expect(origin.sockets).toHaveLength(1);
    agent.destroy();
  });

  test("holds back what a client sends without waiting", async () => {
    const origin = await Origin.start(refusing("413 Too Large"));
    const wire = await front(proxyTo(origin.port));
    wire.send(`${HEAD}\r\n`, "hello");
    expect((await wire.final()).status).toBe(413);
    expect(origin.body).toBe("");
  });

  test("passes on what a client sent without waiting when the origin accepts", async () => {
    const origin = await Origin.start((text, socket) => {
      if (text.endsWith("\r\n\r\n")) setTimeout(() => socket.write(CONTINUE), 100);
      else ok(text, socket);
    });
    const wire = await front(proxyTo(origin.port));
    wire.send(`${HEAD}\r\n`, "hello");
    expect((await wire.final()).status).toBe(201);
    expect(origin.body).toBe("hello");
    // All of it had come: no 100 is owed, and the connection goes on.
    expect(wire.statuses).toEqual([201]);
  });

  test("carries a large upload of a client that does not wait through whole", async () => {
    const size = 8 * 2 ** 20;
    const origin = http.createServer((req, res) => {
      let bytes = 0;
      req.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      req.on("end", () => res.end(String(bytes)));
    });
    const { port } = await listen(attach(origin, { logger: silent }));
    const wire = await front(proxyTo(port));
    wire.send(HEAD.replace("Length: 5", `Length: ${size}`), "\r\n", Buffer.alloc(size));
    expect(await wire.final()).toMatchObject({ status: 200, body: String(size) });
  });

  test("closes after a success in place of the 100", async () => {
    const origin = await Origin.start(refusing("200 OK", "", "had it"));
    const wire = await front(proxyTo(origin.port));
    wire.send(`${HEAD}\r\n`);
    expect(await wire.final()).toMatchObject({ status: 200, body: "had it", headers: { connection: "close" } });
    await wire.closed();
  });

  test("answers 502 in the place of an origin that is gone, and logs it", async () => {
    const logger = recordingLogger();
    const errors: Error[] = [];
    // Nobody listens there; a port that was free a moment ago may be somebody's by now.
    const wire = await front(proxyTo(1, { onError: (error) => errors.push(error) }), [], logger);
    wire.send(`${HEAD}\r\n`);
    expect(await wire.final()).toMatchObject({ status: 502, headers: { connection: "close" } });
    await wire.closed();
    expect(wire.statuses).toEqual([502]);
    expect(errors).toHaveLength(1);
    expect(logger.records).toMatchObject([{ level: "error", details: { status: 502, policy: "relay" } }]);
  });

  test("answers 502 when the origin hangs up in place of an answer", async () => {
    const origin = await Origin.start((_text, socket) => socket.end());
    const wire = await front(proxyTo(origin.port));
    wire.send(`${HEAD}\r\n`);
    expect((await wire.final()).status).toBe(502);
  });

  test("answers 504 in the place of a silent origin, in time, and hangs up there", async () => {
    const logger = recordingLogger();
    const origin = await Origin.start(() => {});
    const hold = holdExpectation({ originTimeoutMs: deadline(150), logger }) as Handler;
    const wire = await front(proxyTo(origin.port), [hold]);
    wire.send(`${HEAD}\r\n`);
    expect(await wire.final()).toMatchObject({ status: 504, headers: { connection: "close" } });
    await wire.closed();
    await origin.until("the front hung up", () => origin.ends === 1);
    expect(origin.body).toBe("");
    expect(logger.records).toMatchObject([{ level: "error", details: { status: 504, policy: "relay" } }]);
  });

  test("answers 504 when the proxy's own timeout ends the request", async () => {
    const origin = await Origin.start(() => {});
    const wire = await front(
      proxyTo(origin.port, {
        send: (req, proxyReq) => {
          proxyReq.setTimeout(deadline(100), () => proxyReq.destroy());
          req.pipe(proxyReq);
        },
      }),
    );
    wire.send(`${HEAD}\r\n`);
    expect((await wire.final()).status).toBe(504);
  });

  test("does not count the time of the upload itself", async () => {
    const origin = await Origin.start(ok);
    const originTimeoutMs = deadline(200);
    const hold = holdExpectation({ originTimeoutMs, logger: silent }) as Handler;
    const wire = await front(proxyTo(origin.port), [hold]);
    wire.send(`${HEAD}\r\n`);
    await wire.status(100);
    await new Promise((resolve) => setTimeout(resolve, 2 * originTimeoutMs));
    wire.send("hello");
    expect((await wire.final()).status).toBe(201);
  });

  test("hangs up at the origin when the client leaves before its answer", async () => {
    const origin = await Origin.start(() => {});
    const wire = await front(proxyTo(origin.port));
    wire.send(`${HEAD}\r\n`);
    await origin.until("the head", () => origin.text.includes("\r\n\r\n"));
    wire.destroy();
    await origin.until("the front hung up", () => origin.ends === 1);
  });

  test("drops fields of the client's connection, and nothing that the proxy has set", async () => {
    const origin = await Origin.start(ok);
    const wire = await front(
      proxyTo(origin.port, {
        agent: new http.Agent(),
        send: (req, proxyReq) => {
          proxyReq.setHeader("X-Set-Later", "1");
          req.pipe(proxyReq);
        },
      }),
    );
    const fields =
      "Connection: keep-alive, X-Hop, Content-Length, X-Set-Later\r\nX-Hop: 1\r\nTE: trailers\r\nKeep-Alive: 5\r\n";
    wire.send(`${HEAD}${fields}X-End: 1\r\n\r\n`);
    await wire.status(100);
    expect(origin.head).not.toMatch(/^(?:X-Hop|TE|Keep-Alive):/im);
    expect(origin.head).toMatch(/^X-End: 1$/im);
    expect(origin.head).toMatch(/^X-Set-Later: 1$/im);
    expect(origin.head).toMatch(/^Content-Length: 5$/im);
  });

  test.each(["pipeline", "async iteration"])("holds a reader by %s as well", async (kind) => {
    const origin = await Origin.start(refusing("413 Too Large"));
    const wire = await front(
      proxyTo(origin.port, {
        send: (req, proxyReq) => {
          const source = kind === "pipeline" ? req : Readable.from(req);
          pipeline(source, proxyReq).catch(() => {});
        },
      }),
    );
    wire.send(`${HEAD}\r\n`, "hello");
    expect((await wire.final()).status).toBe(413);
    expect(origin.body).toBe("");
    // All of it had come: the connection goes on.
    expect(await wire.answersNext()).toBe(true);
  });

  test("leaves requests without Expect, and those of HTTP/1.0, as they are", async () => {
    const origin = await Origin.start((text, socket) => {
      if (text.endsWith("hello")) socket.end("HTTP/1.1 201 Created\r\nContent-Length: 6\r\n\r\nstored");
    });
    for (const version of ["1.1", "1.0"]) {
      origin.text = "";
      const wire = await front(proxyTo(origin.port), [holdExpectation({ logger: silent }) as Handler]);
      const expect_ = version === "1.0" ? "Expect: 100-continue\r\n" : "";
      wire.send(`PUT /up HTTP/${version}\r\nHost: test\r\n${expect_}Content-Length: 5\r\n\r\n`, "hello");
      await wire.until("an answer", () => wire.text.includes("stored"));
      expect(origin.head).not.toMatch(/^Expect:/im);
    }
  });

  describe.each(["DELETE", "OPTIONS", "GET"])(
    "%s with content of unknown length, whose framing a proxy drops",
    (method) => {
      const HIDDEN = "GET /hidden HTTP/1.1\r\n\r\n";
      const head = `${method} /up HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n`;
      const content = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`;

      function dropping(port: number, isHeadSent: boolean): Handler {
        return (req, res) => {
          const headers = method === "GET" ? {} : { "Content-Length": 0 };
          const proxyReq = http.request({ host: "127.0.0.1", port, method, headers, agent: false });
          proxyReq.on("response", (response) => response.pipe(res));
          proxyReq.on("error", (error) => {
            res.statusCode = 599;
            res.end(error.message);
          });
          if (isHeadSent) proxyReq.flushHeaders();
          relayExpectation(req, res, proxyReq);
          req.pipe(proxyReq);
        };
      }

      test("gets it back", async () => {
        const origin = await Origin.start((text, socket) => {
          if (text.endsWith("0\r\n\r\n")) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        });
        const wire = await front(dropping(origin.port, false));
        wire.send(`${head}\r\n`, content);
        expect(await wire.final()).toMatchObject({ status: 200, body: "ok" });
        expect(origin.head).toMatch(/^Transfer-Encoding: chunked$/im);
        expect(origin.head).not.toMatch(/^Content-Length:/im);
        expect(origin.body).toBe(content);
      });

      test("is not sent if the header section is complete", async () => {
        const origin = await Origin.start(() => {});
        const wire = await front(dropping(origin.port, true));
        wire.send(`${head}\r\n`, content);
        expect(await wire.final()).toMatchObject({ status: 599, body: expect.stringMatching(/holdExpectation\(\)/) });
        expect(origin.text).not.toContain("hidden");
      });
    },
  );

  test("sends the other expectations along", async () => {
    const origin = await Origin.start(ok);
    const server = attach(http.createServer(plainApp({ routes: { "/up": proxyTo(origin.port) } })), {
      logger: silent,
      unknownExpectations: "ignore",
    });
    const { port } = await listen(server);
    const wire = await WireClient.connect(port);
    wire.send(`${HEAD.replace("100-continue", 'size-class="a, b", 100-Continue')}\r\n`);
    await wire.status(100);
    expect(origin.head).toMatch(/^Expect: size-class="a, b", 100-Continue$/im);
  });
});

describe("holdExpectation", () => {
  test("comes after guards, whose refusal reaches the client and never the origin", async () => {
    const origin = await Origin.start(ok);
    const guard = expectations({ logger: silent, policies: [() => refuse(401)] }) as Handler;
    const wire = await front(proxyTo(origin.port), [guard, holdExpectation({ logger: silent }) as Handler]);
    wire.send(`${HEAD}\r\n`);
    expect((await wire.final()).status).toBe(401);
    expect(origin.text).toBe("");
  });

  test("takes Expect off the request, and the handshake stays pending", async () => {
    const seen: unknown[] = [];
    const wire = await front(
      (req, res) => {
        seen.push(req.headers.expect, handshakeOf(req).state);
        res.end("no proxy");
      },
      [holdExpectation({ logger: silent }) as Handler],
    );
    wire.send(`${HEAD}\r\n`);
    expect(await wire.final()).toMatchObject({ body: "no proxy", headers: { connection: "close" } });
    expect(seen).toEqual([undefined, "pending"]);
  });

  test("lets an application that throws the content away answer at once", async () => {
    const wire = await front(
      (req, res) => {
        req.on("end", () => {
          res.statusCode = 404;
          res.end("late");
        });
        req.resume();
      },
      [holdExpectation({ logger: silent }) as Handler],
    );
    wire.send(`${HEAD}\r\n`);
    expect((await wire.final()).status).toBe(404);
    expect(wire.statuses).toEqual([404]);
  });

  test("ends a request to the origin that gets its connection too late", async () => {
    const origin = await Origin.start(() => {});
    const late: http.ClientRequest[] = [];
    const wire = await front(
      (req, res) => {
        res.once("close", () => {
          const proxyReq = http.request({ host: "127.0.0.1", port: origin.port, method: "PUT", agent: false });
          relayExpectation(req, res, proxyReq);
          late.push(proxyReq);
        });
      },
      [holdExpectation({ originTimeoutMs: 100, logger: silent }) as Handler],
    );
    wire.send(`${HEAD}\r\n`);
    expect((await wire.final()).status).toBe(504);
    await wire.closed();
    await wire.until("the request was made", () => late.length === 1);
    expect(late[0]?.destroyed).toBe(true);
    expect(origin.text).toBe("");
  });

  test("attaches a server that nobody attached", async () => {
    const origin = await Origin.start(refusing("413 Too Large"));
    const app = plainApp({
      use: [holdExpectation({ logger: silent }) as Handler],
      routes: { "/up": proxyTo(origin.port) },
    });
    const { port } = await listen(http.createServer(app));
    const wire = await WireClient.connect(port);
    await wire.answersNext("/");
    wire.send(`${HEAD}\r\n`);
    expect((await wire.final(2)).status).toBe(413);
    expect(wire.statuses).toEqual([404, 413]);
  });
});
