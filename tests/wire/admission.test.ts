import { once } from "node:events";
import * as fs from "node:fs/promises";
import * as http from "node:http";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import express from "express";
import express4 from "express4";
import { attach, maxSize, mediaTypes, type Refusal, refuse, silent, type Upload } from "../../src/index.js";
import { type AdmissionOptions, admission } from "../../src/proxies/admission.js";
import { closeServers, listen, recordingLogger } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

afterEach(closeServers);

type Options = Partial<AdmissionOptions>;
type MakeServer = (options: AdmissionOptions) => http.Server;

const SERVERS: Record<string, MakeServer> = {
  "node:http": (options) => http.createServer(admission(options)),
  "node:http, attached": (options) => attach(http.createServer(admission(options)), { logger: silent }),
  "Express 4": (options) => http.createServer(express4().use("/ask", admission(options))),
  "Express 5": (options) => http.createServer(express().use("/ask", admission(options))),
};

async function serve(options: Options, makeServer: MakeServer = SERVERS["node:http"]!) {
  const server = makeServer({ trustProxy: "loopback", logger: silent, ...options });
  const { port } = await listen(server);
  return WireClient.connect(port);
}

const question = (...fields: string[]) =>
  ["GET /ask HTTP/1.1", "Host: test", "X-Original-Method: PUT", "X-Original-URI: /a", ...fields, "", ""].join("\r\n");
const IMAGE = question("X-Upload-Length: 5", "Content-Type: image/png");

describe.each(Object.entries(SERVERS))("%s", (_name, makeServer) => {
  test("answers 204 where the policies accept, again and again on one connection", async () => {
    const wire = await serve({ policies: [mediaTypes(["image/*"]), maxSize(5), async () => true] }, makeServer);
    for (const n of [1, 2]) {
      wire.send(IMAGE);
      const yes = await wire.final(n);
      expect(yes).toMatchObject({ status: 204, headers: { "cache-control": "no-store" } });
      expect(yes.headers["x-admission-status"]).toBeUndefined();
    }
    expect(wire.statuses).toEqual([204, 204]);
  });

  test("answers 403 with the real status and its fields, and goes on with the connection", async () => {
    const refusal = refuse(429, { headers: { "Retry-After": 5, "X-Admission-Status": 200 } });
    const wire = await serve({ policies: [() => refusal] }, makeServer);
    for (const n of [1, 2]) {
      wire.send(IMAGE);
      expect(await wire.final(n)).toMatchObject({
        status: 403,
        headers: { "x-admission-status": "429", "retry-after": "5" },
        body: "",
      });
    }
  });

  test("answers the real status where proxies copy it, with problem details", async () => {
    const wire = await serve({ statuses: "verbatim", policies: [maxSize(4)] }, makeServer);
    wire.send(IMAGE);
    const refusal = await wire.final();
    expect(refusal).toMatchObject({ status: 413, headers: { "x-admission-status": "413" } });
    expect(JSON.parse(refusal.body)).toMatchObject({ status: 413, detail: "larger than 4 bytes" });
  });

  test("carries the problem members of a refusal", async () => {
    const full = refuse(507, { reason: "full", problem: { type: "https://example.com/full", available_bytes: 5 } });
    const wire = await serve({ statuses: "verbatim", policies: [() => full] }, makeServer);
    wire.send(IMAGE);
    expect(JSON.parse((await wire.final()).body)).toEqual({
      type: "https://example.com/full",
      title: "Insufficient Storage",
      status: 507,
      detail: "full",
      available_bytes: 5,
    });
  });

  test("refuses a question with content of its own, and closes", async () => {
    const wire = await serve({}, makeServer);
    wire.send(question("Content-Length: 5"));
    const refusal = await wire.final();
    expect(refusal).toMatchObject({ status: 403, headers: { "x-admission-status": "400", connection: "close" } });
    await wire.closed();
  });
});

describe("who may ask", () => {
  async function ask(trustProxy: AdmissionOptions["trustProxy"], ...fields: string[]) {
    const logger = recordingLogger();
    let runs = 0;
    const wire = await serve({ trustProxy, logger, policies: [() => ++runs > 0] });
    wire.send(question(...fields));
    return { answer: await wire.final(), runs, logger };
  }

  test.each([
    ["another address", "192.0.2.1"],
    ["another subnet", ["10.0.0.0/8", "uniquelocal"]],
    ["a function that says no", () => false],
    ["a function that says something else", (() => "yes") as never],
    [
      "a function that throws",
      () => {
        throw new Error("broken");
      },
    ],
    ["a function that answers a promise", (async () => true) as never],
    ["a function whose promise rejects", (() => Promise.reject(new Error("broken"))) as never],
  ])("nobody else: %s", async (_what, trustProxy) => {
    const { answer, runs, logger } = await ask(trustProxy, "X-Forwarded-For: 192.0.2.1");
    expect(answer.status).toBe(403);
    expect(answer.headers["x-admission-status"]).toBeUndefined();
    expect(runs).toBe(0);
    expect(logger.records.at(-1)).toMatchObject({ level: "warn", details: { status: 403, policy: "trustProxy" } });
  });

  test.each([
    ["an address", "127.0.0.1"],
    ["a named range", ["192.0.2.1", "loopback"]],
    ["a function", (address: string, hop: number) => hop === 0 && address.endsWith("127.0.0.1")],
  ])("those that %s names", async (_what, trustProxy) => {
    const { answer, runs } = await ask(trustProxy);
    expect(answer.status).toBe(204);
    expect(runs).toBe(1);
  });

  test("a proxy on a Unix domain socket is for a function to name", async () => {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), "expectations-ask-"));
    const statuses: number[] = [];
    for (const [i, trustProxy] of [(address: string) => address === "", "loopback"].entries()) {
      const server = http.createServer(admission({ trustProxy, logger: silent }));
      const socketPath = path.join(folder, String(i));
      server.listen(socketPath);
      await once(server, "listening");
      const headers = { "X-Original-Method": "PUT", "X-Original-URI": "/a" };
      const req = http.get({ socketPath, headers, agent: false });
      const [res] = (await once(req, "response")) as [http.IncomingMessage];
      statuses.push(res.statusCode ?? 0);
      res.resume();
      await once(res, "close");
      server.close();
    }
    await fs.rm(folder, { recursive: true });
    expect(statuses).toEqual([204, 403]);
  });
});

describe("the question", () => {
  test.each([
    ["without a method", "GET /ask HTTP/1.1\r\nHost: test\r\nX-Original-URI: /a\r\n\r\n"],
    ["with two lengths", question("X-Upload-Length: 5", "X-Upload-Length: 5")],
    ["with a length beside a coding", question("X-Upload-Length: 5", "X-Original-Transfer-Encoding: chunked")],
  ])("is refused with 400 %s, and no policy runs", async (_what, bytes) => {
    const logger = recordingLogger();
    let runs = 0;
    const wire = await serve({ logger, policies: [() => ++runs > 0] });
    wire.send(bytes);
    expect(await wire.final()).toMatchObject({ status: 403, headers: { "x-admission-status": "400" } });
    expect(runs).toBe(0);
    expect(logger.records).toMatchObject([{ level: "warn", details: { status: 400, policy: "admission" } }]);
  });
});

describe("verdicts", () => {
  async function verdict(options: Options, ...fields: string[]) {
    const wire = await serve(options);
    wire.send(question(...fields));
    const { status, headers, body } = await wire.final();
    return { status, told: headers["x-admission-status"], headers, body };
  }

  test("false is 417 for a request with Expect, and 403 without", async () => {
    const policies = [() => false];
    expect(await verdict({ policies }, "X-Original-Expect: 100-continue")).toMatchObject({ status: 403, told: "417" });
    expect(await verdict({ policies })).toMatchObject({ status: 403, told: "403" });
  });

  test("an expectation that nobody knows is 417, unless it is ignored", async () => {
    for (const value of ["tea", "100-continue, tea", "100-continue;q=1", '"100-continue"']) {
      const expectation = `X-Original-Expect: ${value}`;
      expect(await verdict({}, expectation)).toMatchObject({ status: 403, told: "417" });
      expect(await verdict({ unknownExpectations: "ignore" }, expectation)).toMatchObject({ status: 204 });
    }
  });

  test.each(["refuse", "ignore"] as const)("more than 16 different expectations are 417 with %j", async (unknown) => {
    const logger = recordingLogger();
    const options: Options = { unknownExpectations: unknown, logger, policies: [() => true] };
    const members = (count: number) => Array.from({ length: count }, (_, i) => `tea=${i}`).join();
    expect(await verdict(options, `X-Original-Expect: ${members(17)}`)).toMatchObject({ status: 403, told: "417" });
    expect(logger.records[0]?.details.reason).toMatch(/^too many expectations/);
    const repeated = `X-Original-Expect: ${"100-continue,".repeat(100)}100-continue`;
    expect(await verdict(options, repeated)).toMatchObject({ status: 204 });
  });

  test("a refusal that is a success is none for the proxy", async () => {
    for (const status of [200, 204]) {
      const policies = [() => refuse(status)];
      expect(await verdict({ policies })).toMatchObject({ status: 403, told: String(status) });
      expect(await verdict({ policies, statuses: "verbatim" })).toMatchObject({ status: 403, told: String(status) });
    }
    const policies = [() => refuse(303, { headers: { Location: "/there" } })];
    expect(await verdict({ policies, statuses: "verbatim" })).toMatchObject({
      status: 303,
      headers: { location: "/there" },
    });
  });

  test("a refusal has no body for a client that waits, but the policy's own", async () => {
    const waits = "X-Original-Expect: 100-continue";
    expect(await verdict({ statuses: "verbatim", policies: [() => refuse(409)] }, waits)).toMatchObject({ body: "" });
    const policies = [() => refuse(409, { body: "there" })];
    expect(await verdict({ statuses: "verbatim", policies }, waits)).toMatchObject({ status: 409, body: "there" });
  });

  test("a policy that throws is 500, one that answers nonsense as well, one that is late 503", async () => {
    const logger = recordingLogger();
    const late = () => new Promise<boolean>(() => {});
    const broken = [
      () => {
        throw new Error("broken");
      },
      () => Promise.reject(new Error("broken")),
      () => "yes" as never,
    ];
    for (const policy of broken) {
      expect(await verdict({ logger, policies: [policy] })).toMatchObject({ status: 403, told: "500" });
    }
    expect(await verdict({ logger, policies: [late], policyTimeoutMs: 50 })).toMatchObject({
      status: 403,
      told: "503",
    });
    expect(await verdict({ policies: [late], policyTimeoutMs: 50, statuses: "verbatim" })).toMatchObject({
      status: 503,
    });
    expect(logger.records.map(({ level, details }) => [level, details.status])).toEqual([
      ["error", 500],
      ["error", 500],
      ["error", 500],
      ["error", 503],
    ]);
  });

  test("the record tells about the upload, not about the asking", async () => {
    const logger = recordingLogger();
    const fields = ["X-Forwarded-For: 192.0.2.7", "User-Agent: curl", "X-Upload-Length: 9", "Authorization: secret"];
    await verdict({ logger, policies: [maxSize(5)] }, ...fields);
    expect(logger.records).toHaveLength(1);
    expect(logger.records[0]?.details).toMatchObject({
      event: "expectation.refused",
      method: "PUT",
      url: "/a",
      status: 413,
      policy: "maxSize",
      declaredLength: 9,
      bytesSpared: 9,
      client: "192.0.2.7",
      userAgent: "curl",
    });
    expect(JSON.stringify(logger.records)).not.toContain("secret");
  });
});

describe("the upload that policies are told about", () => {
  async function told(policy: (upload: Upload) => boolean | Refusal | Promise<boolean>, ...fields: string[]) {
    const wire = await serve({ policies: [(_req, upload) => policy(upload)] });
    wire.send(question(...fields));
    return { wire, answer: (await wire.final()).headers["x-admission-status"] ?? "204" };
  }

  test("limits compare with the declared length; an unknown one is for the origin to count", async () => {
    const limit = (upload: Upload) => {
      upload.limitBytes(5, refuse(413));
      return true;
    };
    expect((await told(limit, "X-Upload-Length: 5")).answer).toBe("204");
    expect((await told(limit, "X-Upload-Length: 6")).answer).toBe("413");
    expect((await told(limit)).answer).toBe("204");
    for (const [bytes, refusal] of [[-1, refuse(413)] as const, [1, 413 as never] as const]) {
      const broken = (upload: Upload) => {
        upload.limitBytes(bytes, refusal);
        return true;
      };
      expect((await told(broken)).answer).toBe("500");
    }
  });

  test("what is reserved goes back when the upload is refused, and stays when it is accepted", async () => {
    const closed: string[] = [];
    const reserve = (verdict: boolean) => (upload: Upload) => {
      upload.onClose(() => void closed.push(String(verdict)));
      return verdict;
    };
    const accepted = await told(reserve(true));
    await accepted.wire.answersNext();
    accepted.wire.destroy();
    await accepted.wire.closed();
    expect(closed).toEqual([]);
    expect((await told(reserve(false))).answer).toBe("403");
    expect(closed).toEqual(["false"]);
  });

  test("the signal aborts and what is reserved goes back when the proxy leaves", async () => {
    let closed = 0;
    let aborted: Promise<unknown> | undefined;
    let arrived = () => {};
    const asked = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const policy = (_req: unknown, upload: Upload) => {
      upload.onClose(() => closed++);
      aborted = once(upload.signal, "abort");
      arrived();
      return new Promise<boolean>(() => {});
    };
    const wire = await serve({ policies: [policy] });
    wire.send(question());
    await asked;
    wire.destroy();
    await aborted;
    expect(closed).toBe(1);
  });

  test("nothing has arrived, and the handshake is told", async () => {
    const uploads: Upload[] = [];
    const keep = (upload: Upload) => uploads.push(upload) > 0;
    await told(keep, "X-Upload-Length: 5", "X-Original-Expect: 100-Continue", "Content-Type: Image/PNG;x=1");
    await told(keep);
    expect(uploads).toMatchObject([
      { length: 5, received: 0, mediaType: "image/png", expectation: { name: "100-continue" } },
      { length: undefined, received: 0, mediaType: undefined, expectation: undefined },
    ]);
  });
});
