import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { afterEach, describe, expect, test } from "@jest/globals";
import { expectations, handshakeOf, maxSize, refuse, silent, type Upload, type UploadEnd } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { closeServers, type Handler, HTTP1_KINDS, isTlsKind, startAttached, store } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { pendingPolicy } from "../helpers/verdict.js";
import { CHUNKED, UPLOAD, WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeServers);

/** A guard whose one verdict the test gives. */
function asking() {
  const { policy, asked, decide } = pendingPolicy();
  return { guard: expectations({ logger: silent, policies: [policy] }) as Handler, asked, decide };
}

/** All ticks and microtasks that are due have run when this resolves. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

const answerAtEnd: Handler = (req, res) => void req.on("end", () => res.end("read"));

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function connect(...handlers: Handler[]) {
    const { port } = await startAttached(kind, { routes: { "/files": handlers } }, { logger: silent });
    return WireClient.connect(port, { tls: isTlsKind(kind) });
  }

  describe("a read that begins while a verdict is pending", () => {
    async function readWhileAsking(read: (req: IncomingMessage) => void) {
      const { guard, asked, decide } = asking();
      const wire = await connect(guard, answerAtEnd);
      wire.send(UPLOAD);
      read(await asked);
      await turn();
      return { wire, decide };
    }

    test("brings no 100 in front of a refusal, and its reader is told", async () => {
      const events: string[] = [];
      const { wire, decide } = await readWhileAsking((req) => {
        req.on("error", (error: NodeJS.ErrnoException) => events.push(String(error.code)));
        req.on("data", () => events.push("data"));
      });
      decide(refuse(403));
      await wire.fin();
      await until("the reader is told", () => events.length > 0);
      expect(events).toEqual(["ERR_EXPECT_REFUSED"]);
      expect(wire.statuses).toEqual([403]);
    });

    test("goes on behind an acceptance", async () => {
      let content = "";
      const { wire, decide } = await readWhileAsking((req) => {
        req.on("data", (chunk) => {
          content += chunk;
        });
      });
      decide(true);
      await wire.status(100);
      wire.send("hello");
      expect((await wire.final()).body).toBe("read");
      expect(content).toBe("hello");
      expect(wire.statuses).toEqual([100, 200]);
    });
  });

  describe("a read under two guards that judge at the same time", () => {
    async function readUnderTwo() {
      const first = asking();
      const second = asking();
      const both: Handler = (req, res, next) => {
        let accepted = 0;
        const passed = () => {
          accepted++;
          if (accepted === 2) next();
        };
        first.guard(req, res, passed);
        second.guard(req, res, passed);
        req.on("data", () => {});
      };
      const wire = await connect(both, answerAtEnd);
      wire.send(UPLOAD);
      await Promise.all([first.asked, second.asked]);
      await turn();
      return { wire, first, second };
    }

    test("brings no 100 when one has accepted and the other refuses", async () => {
      const { wire, first, second } = await readUnderTwo();
      first.decide(true);
      await turn();
      second.decide(refuse(403));
      await turn();
      await wire.fin();
      expect(wire.statuses).toEqual([403]);
    });

    test("brings one 100 when both have accepted", async () => {
      const { wire, first, second } = await readUnderTwo();
      second.decide(true);
      await turn();
      first.decide(true);
      await turn();
      await wire.status(100);
      wire.send("hello");
      await wire.final();
      expect(wire.statuses).toEqual([100, 200]);
    });
  });

  test("asks no guard behind a refusal, although somebody handed the request on", async () => {
    const ran: string[] = [];
    const refusing = expectations({
      logger: silent,
      policies: [() => refuse(403)],
      onRefusal: (_refusal, _req, res) => {
        res.statusCode = 403;
        res.end("no");
      },
    }) as Handler;
    const handingOn: Handler = (req, res, next) => {
      refusing(req, res, () => {});
      next();
    };
    const behind = expectations({ logger: silent, policies: [() => ran.push("policy") > 0] }) as Handler;
    const application: Handler = (req, res, next) => {
      ran.push("application");
      store(req, res, next);
    };
    const wire = await connect(handingOn, behind, application);
    wire.send(UPLOAD);
    expect(await wire.final()).toMatchObject({ status: 403, body: "no" });
    await wire.fin();
    expect(ran).toEqual([]);
    expect(wire.statuses).toEqual([403]);
  });

  test("onClose of a policy that asks for it after the client has left is called at once", async () => {
    let upload: Upload | undefined;
    const policy = (_req: IncomingMessage, judged: Upload) => {
      upload = judged;
      return new Promise<boolean>(() => {});
    };
    const guard = expectations({ logger: silent, policies: [policy] }) as Handler;
    let closed: Promise<unknown> | undefined;
    const watch: Handler = (_req, res, next) => {
      closed = once(res, "close");
      next();
    };
    const wire = await connect(watch, guard, store);
    wire.send(UPLOAD);
    await until("the guard asks", () => upload !== undefined);
    wire.destroy();
    await closed;
    const ends: UploadEnd[] = [];
    upload?.onClose((end) => void ends.push(end));
    expect(ends).toEqual([{ status: undefined, isRefused: false, isWhole: false }]);
  });

  test("no 100 is owed once all content has come during the verdict", async () => {
    const states: string[] = [];
    const policy = async (req: IncomingMessage) => {
      await until("all content has come", () => req.complete);
      states.push(handshakeOf(req).state);
      return true;
    };
    const guard = expectations({ logger: silent, policies: [policy] }) as Handler;
    const tell: Handler = (req, res, next) => {
      states.push(handshakeOf(req).state);
      res.once("finish", () => states.push(handshakeOf(req).state));
      store(req, res, next);
    };
    const { port } = await startAttached(kind, { routes: { "/files": [guard, tell] } }, { logger: silent });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send(`${UPLOAD}hello`);
    await wire.final();
    await until("the response is finished", () => states.length === 3);
    expect(wire.statuses).toEqual([201]);
    expect(states).toEqual(["none", "none", "none"]);
  });

  test.each([
    [4, 413],
    [5, 201],
  ])("content of 5 bytes that came before a guard with a limit of %i gets %i", async (limit, status) => {
    const late: Handler = async (req, _res, next) => {
      await until("all content has come", () => req.complete);
      next();
    };
    const guard = expectations({ logger: silent, policies: [maxSize(limit)] }) as Handler;
    const { port } = await startAttached(kind, { routes: { "/files": [late, guard, store] } }, { logger: silent });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send(`${CHUNKED}5\r\nhello\r\n0\r\n\r\n`);
    expect((await wire.final()).status).toBe(status);
  });
});
