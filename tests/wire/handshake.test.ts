import { createWriteStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import busboy from "busboy";
import express from "express";
import express4 from "express4";
import multer from "multer";
import { expectations, handshakeOf, maxSize, refuse, silent } from "../../src/index.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  type Http1Kind,
  isTlsKind,
  next,
  startAttached,
  store,
} from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

const folder = mkdtempSync(join(tmpdir(), "expectations-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(closeServers);

const guard = expectations({ policies: [maxSize("1mb")], logger: silent });
const HEAD = "PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n";

async function serve(kind: Http1Kind, handlers: Handler | Handler[], use: Handler[] = [guard as Handler]) {
  const { port } = await startAttached(
    kind,
    { use, routes: { "/files": handlers, "/next": next } },
    { logger: silent },
  );
  return WireClient.connect(port, { tls: isTlsKind(kind) });
}

const FRAMEWORKS = ["Express 4", "Express 5"] as const;
const frameworkOf = { "Express 4": express4, "Express 5": express };

describe.each(HTTP1_KINDS)("%s", (kind) => {
  test("sends one 100 when the content is read, and keeps the connection", async () => {
    const wire = await serve(kind, store);
    wire.send(`${HEAD}Content-Length: 5\r\n\r\n`);
    await wire.status(100);
    wire.send("hello");
    expect((await wire.final()).body).toBe("stored 5");
    expect(await wire.answersNext()).toBe(true);
    expect(wire.statuses).toEqual([100, 201, 200]);
  });

  test("refuses with 413 before a byte of content is sent, and closes", async () => {
    const wire = await serve(kind, store);
    wire.send(`${HEAD}Content-Length: 1048577\r\n\r\n`);
    const refusal = await wire.final();
    expect(refusal).toMatchObject({ status: 413, headers: { connection: "close", "content-length": "0" } });
    await wire.fin();
    expect(wire.statuses).toEqual([413]);
  });

  test("answers a route that does not exist at once, with no 100", async () => {
    const wire = await serve(kind, store);
    wire.send(HEAD.replace("/files", "/nowhere"), "Content-Length: 5\r\n\r\n");
    expect(await wire.final()).toMatchObject({ status: 404, headers: { connection: "close" } });
    await wire.fin();
    expect(wire.statuses).toEqual([404]);
  });

  test("answers next(error) at once, with no 100", async () => {
    const wire = await serve(kind, (_req, _res, next) => next(new Error("no")));
    wire.send(`${HEAD}Content-Length: 5\r\n\r\n`);
    expect(await wire.final()).toMatchObject({ status: 500, headers: { connection: "close" } });
    await wire.fin();
    expect(wire.statuses).toEqual([500]);
  });

  test("answers for a handler that throws at once, with no 100", async () => {
    const wire = await serve(kind, () => {
      throw new Error("no");
    });
    wire.send(`${HEAD}Content-Length: 5\r\n\r\n`);
    expect(await wire.final()).toMatchObject({ status: 500, headers: { connection: "close" } });
    await wire.fin();
    expect(wire.statuses).toEqual([500]);
  });

  test("sends no 100 for a handler that answers without reading", async () => {
    const wire = await serve(kind, next);
    wire.send(`${HEAD}Content-Length: 5\r\n\r\n`);
    expect(await wire.final()).toMatchObject({ status: 200, body: "next", headers: { connection: "close" } });
    await wire.fin();
    expect(wire.statuses).toEqual([200]);
  });

  const readers: Record<string, Handler> = {
    "data listener": store,
    "req.pipe to a file": (req, res) => {
      const path = join(folder, `${kind.replaceAll(/\W/g, "")}-pipe`);
      req.pipe(createWriteStream(path)).on("finish", () => res.end(`stored ${readFileSync(path).length}`));
    },
    "pipeline to a file": (req, res) => {
      const path = join(folder, `${kind.replaceAll(/\W/g, "")}-pipeline`);
      pipeline(req, createWriteStream(path), (error) =>
        res.end(error ? "failed" : `stored ${readFileSync(path).length}`),
      );
    },
    "for await": async (req, res) => {
      let length = 0;
      for await (const chunk of req) length += (chunk as Buffer).length;
      res.end(`stored ${length}`);
    },
    "readable listener": (req, res) => {
      let length = 0;
      req.on("readable", () => {
        for (let chunk = req.read(); chunk !== null; chunk = req.read()) length += chunk.length;
      });
      req.on("end", () => res.end(`stored ${length}`));
    },
    "a read that comes late": (req, res) => {
      setImmediate(() => store(req, res, () => {}));
    },
    "an echo": (req, res) => {
      req.pipe(res);
    },
    "an answer from the last data event": (req, res) => {
      let length = 0;
      req.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length === 5) res.end(`stored ${length}`);
      });
    },
  };

  test.each(Object.entries(readers))("sends one 100 to %s, and keeps the connection", async (name, handler) => {
    const wire = await serve(kind, handler);
    wire.send(`${HEAD}Content-Length: 5\r\n\r\n`);
    await wire.status(100);
    wire.send("hello");
    expect((await wire.final()).body).toBe(name === "an echo" ? "hello" : "stored 5");
    expect(await wire.answersNext()).toBe(true);
    expect(wire.statuses.filter((status) => status === 100)).toHaveLength(1);
  });

  test("owes the 100 after writeHead(200) until the head is on the wire", async () => {
    const wire = await serve(kind, (req, res) => {
      res.writeHead(200);
      req.pipe(res);
    });
    wire.send(`${HEAD}Content-Length: 5\r\n\r\n`);
    await wire.status(100);
    wire.send("hello");
    expect((await wire.final()).body).toBe("hello");
    expect(wire.statuses).toEqual([100, 200]);
  });

  test("a read that comes after the final head ends by bodyTimeoutMs, with a code and no 100", async () => {
    let code: unknown;
    const files: Handler = (req, res) => {
      res.writeHead(200, { "Content-Length": "4" });
      res.flushHeaders();
      req.on("error", (error: NodeJS.ErrnoException) => {
        code = error.code;
        res.end("done");
      });
      req.on("data", () => {});
    };
    const { port } = await startAttached(kind, { routes: { "/files": files } }, { logger: silent, bodyTimeoutMs: 100 });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send(`${HEAD}Content-Length: 5\r\n\r\n`);
    expect((await wire.final()).body).toBe("done");
    await wire.fin();
    expect(code).toBe("ERR_EXPECT_BODY_TIMEOUT");
    expect(wire.statuses).toEqual([200]);
  });

  test("serves a reader whose content has begun to come, although the final head is on the wire", async () => {
    const wire = await serve(kind, (req, res) => {
      res.writeHead(200);
      res.write("early ");
      // Until some of the content is there.
      const poll = setInterval(() => {
        if (handshakeOf(req).received === 0) return;
        clearInterval(poll);
        req.pipe(res);
      }, 1);
    });
    wire.send(`${HEAD}Content-Length: 100000\r\n\r\n`, "x".repeat(100_000));
    expect((await wire.final()).body).toBe(`early ${"x".repeat(100_000)}`);
    expect(wire.statuses).toEqual([200]);
  });

  test("sends one 100 although the application asks for it many times", async () => {
    const wire = await serve(kind, (req, res) => {
      req.read();
      req.read(0);
      req.read();
      store(req, res, () => {});
    });
    wire.send(`${HEAD}Content-Length: 5\r\n\r\n`);
    await wire.status(100);
    wire.send("hello");
    await wire.final();
    expect(wire.statuses).toEqual([100, 201]);
  });

  test("lets an app-wide guard and a route's own decide together", async () => {
    const route = expectations({
      logger: silent,
      policies: [async (req) => (req.headers["x-key"] === "right" ? true : refuse(401))],
    }) as Handler;
    const refused = await serve(kind, [route, store]);
    refused.send(`${HEAD}Content-Length: 5\r\n\r\n`);
    expect((await refused.final()).status).toBe(401);
    await refused.fin();
    expect(refused.statuses).toEqual([401]);
    const accepted = await serve(kind, [route, store]);
    accepted.send(`${HEAD}X-Key: right\r\nContent-Length: 5\r\n\r\n`);
    await accepted.status(100);
    accepted.send("hello");
    await accepted.final();
    expect(accepted.statuses).toEqual([100, 201]);
  });

  test("sends the 100 at once with continueTiming immediately", async () => {
    const immediate = expectations({ continueTiming: "immediately", logger: silent }) as Handler;
    const wire = await serve(kind, (_req, res) => void setTimeout(() => res.end("late"), 50), [immediate]);
    wire.send(`${HEAD}Content-Length: 5\r\n\r\n`);
    await wire.status(100);
    wire.send("hello");
    expect((await wire.final()).body).toBe("late");
    expect(wire.statuses).toEqual([100, 200]);
  });

  test("keeps the connection when the content came during the verdict", async () => {
    let isAsked = () => {};
    const asked = new Promise<void>((resolve) => {
      isAsked = resolve;
    });
    let decide = (_: boolean) => {};
    const slow = expectations({
      logger: silent,
      policies: [
        () => {
          isAsked();
          return new Promise<boolean>((resolve) => {
            decide = resolve;
          });
        },
      ],
    }) as Handler;
    const wire = await serve(kind, store, [
      (req, _res, next) => {
        // The verdict falls when all of the content is there.
        const poll = setInterval(() => {
          if (!req.complete) return;
          clearInterval(poll);
          decide(true);
        }, 1);
        next();
      },
      slow,
    ]);
    wire.send(`${HEAD}Content-Length: 5\r\n\r\n`);
    await asked;
    wire.send("hello");
    expect(await wire.final()).toMatchObject({ status: 201, body: "stored 5" });
    expect(await wire.answersNext()).toBe(true);
    expect(wire.statuses).toEqual([201, 200]);
  });

  test("sends no 100 without content, and keeps the connection", async () => {
    const wire = await serve(kind, store);
    wire.send("GET /next HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n\r\n");
    expect(await wire.final()).toMatchObject({ status: 200 });
    expect(await wire.answersNext()).toBe(true);
    expect(wire.statuses).toEqual([200, 200]);
  });

  test("sends no interim response to HTTP/1.0", async () => {
    const wire = await serve(kind, store);
    wire.send("PUT /files HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", "hello");
    expect((await wire.final()).status).toBe(201);
    expect(wire.statuses).toEqual([201]);
  });

  test("judges an upload without Expect by the same policies", async () => {
    const refused = await serve(kind, store);
    refused.send("PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 1048577\r\n\r\n");
    const response = await refused.final();
    expect(response).toMatchObject({
      status: 413,
      headers: { connection: "close", "content-type": "application/problem+json" },
    });
    expect(JSON.parse(response.body)).toMatchObject({ title: "Payload Too Large", status: 413 });
    const accepted = await serve(kind, store);
    accepted.send("PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello");
    expect((await accepted.final()).status).toBe(201);
    expect(await accepted.answersNext()).toBe(true);
  });

  test("tells handlers what was decided", async () => {
    const states: string[] = [];
    const wire = await serve(kind, (req, res) => {
      states.push(handshakeOf(req).state);
      req.on("data", () => states.push(`${handshakeOf(req).state} ${handshakeOf(req).received}`));
      req.on("end", () => res.end());
    });
    wire.send(`${HEAD}Content-Length: 5\r\n\r\n`);
    await wire.status(100);
    wire.send("hello");
    await wire.final();
    expect(states).toEqual(["pending", "continued 5"]);
  });
});

describe.each(FRAMEWORKS)("%s and its parsers", (kind) => {
  const framework = frameworkOf[kind];

  const parsers: [string, Handler, string, string][] = [
    ["express.json", framework.json() as Handler, "application/json", '{"a":1}'],
    ["express.raw", framework.raw({ type: "*/*" }) as Handler, "application/octet-stream", "hello"],
    ["express.text", framework.text() as Handler, "text/plain", "hello"],
    [
      "express.urlencoded",
      framework.urlencoded({ extended: false }) as Handler,
      "application/x-www-form-urlencoded",
      "a=1",
    ],
  ];

  test.each(parsers)("sends %s its one 100", async (_name, parser, type, content) => {
    const wire = await serve(kind, [parser, (req, res) => res.end(JSON.stringify((req as express.Request).body))]);
    wire.send(`${HEAD}Content-Type: ${type}\r\nContent-Length: ${content.length}\r\n\r\n`);
    await wire.status(100);
    wire.send(content);
    expect((await wire.final()).body).not.toBe("");
    expect(await wire.answersNext()).toBe(true);
    expect(wire.statuses).toEqual([100, 200, 200]);
  });

  test.each([
    ["express.json", framework.json({ limit: 10 }) as Handler, "application/json"],
    ["express.raw", framework.raw({ limit: 10, type: "*/*" }) as Handler, "image/png"],
  ])("lets %s refuse by its own limit at once, with no 100", async (_name, parser, type) => {
    const wire = await serve(kind, [parser, next]);
    wire.send(`${HEAD}Content-Type: ${type}\r\nContent-Length: 1000\r\n\r\n`);
    expect(await wire.final()).toMatchObject({ status: 413, headers: { connection: "close" } });
    await wire.fin();
    expect(wire.statuses).toEqual([413]);
  });

  test('answers next("route") to nothing at once, with no 100', async () => {
    const wire = await serve(kind, [(_req, _res, next) => next("route"), store]);
    wire.send(`${HEAD}Content-Length: 5\r\n\r\n`);
    expect(await wire.final()).toMatchObject({ status: 404, headers: { connection: "close" } });
    await wire.fin();
    expect(wire.statuses).toEqual([404]);
  });

  const BOUNDARY = "----x";
  const FORM = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--${BOUNDARY}--\r\n`;
  const FORM_HEAD = `${HEAD}Content-Type: multipart/form-data; boundary=${BOUNDARY}\r\nContent-Length: ${FORM.length}\r\n\r\n`;

  test("sends multer its one 100", async () => {
    const upload = multer({ storage: multer.memoryStorage() }).single("file") as unknown as Handler;
    const wire = await serve(kind, [upload, (req, res) => res.end(`got ${(req as express.Request).file?.size}`)]);
    wire.send(FORM_HEAD);
    await wire.status(100);
    wire.send(FORM);
    expect((await wire.final()).body).toBe("got 5");
    expect(await wire.answersNext()).toBe(true);
    expect(wire.statuses).toEqual([100, 200, 200]);
  });

  test("sends busboy its one 100", async () => {
    const wire = await serve(kind, (req, res) => {
      let size = 0;
      const form = busboy({ headers: req.headers });
      form.on("file", (_name, file) =>
        file.on("data", (chunk: Buffer) => {
          size += chunk.length;
        }),
      );
      form.on("close", () => res.end(`got ${size}`));
      req.pipe(form);
    });
    wire.send(FORM_HEAD);
    await wire.status(100);
    wire.send(FORM);
    expect((await wire.final()).body).toBe("got 5");
    expect(await wire.answersNext()).toBe(true);
  });

  test("answers at once when multer finds no boundary", async () => {
    const upload = multer().single("file") as unknown as Handler;
    const wire = await serve(kind, [upload, next]);
    wire.send(`${HEAD}Content-Type: multipart/form-data\r\nContent-Length: 1000\r\n\r\n`);
    expect(await wire.final()).toMatchObject({ status: 500, headers: { connection: "close" } });
    await wire.fin();
  });
});
