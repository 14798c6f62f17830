import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { afterEach, describe, expect, test } from "@jest/globals";
import { expectations, type Refusal, refuse, silent, type Upload, type UploadEnd } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { closeServers, type Handler, HTTP1_KINDS, isTlsKind, startAttached, store } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeServers);

const UPLOAD = "PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";

type Verdict = true | Refusal;

/** A guard whose one verdict the test gives. */
function asking() {
  let decide: ((verdict: Verdict) => void) | undefined;
  const policy = () =>
    new Promise<Verdict>((resolve) => {
      decide = resolve;
    });
  return {
    guard: expectations({ logger: silent, policies: [policy] }) as Handler,
    asked: () => until("the guard asks", () => decide !== undefined),
    async decide(verdict: Verdict) {
      decide?.(verdict);
      await turn();
    },
  };
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
    async function readWhileAsking() {
      const asker = asking();
      let request: IncomingMessage | undefined;
      const keep: Handler = (req, _res, next) => {
        request = req;
        next();
      };
      const wire = await connect(keep, asker.guard, answerAtEnd);
      wire.send(UPLOAD);
      await asker.asked();
      request?.on("data", () => {});
      await turn();
      return { wire, asker };
    }

    test("brings no 100 in front of a refusal", async () => {
      const { wire, asker } = await readWhileAsking();
      await asker.decide(refuse(403));
      await wire.fin();
      expect(wire.statuses).toEqual([403]);
    });

    test("goes on behind an acceptance", async () => {
      const { wire, asker } = await readWhileAsking();
      await asker.decide(true);
      await wire.status(100);
      wire.send("hello");
      expect((await wire.final()).body).toBe("read");
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
      await Promise.all([first.asked(), second.asked()]);
      await turn();
      return { wire, first, second };
    }

    test("brings no 100 when one has accepted and the other refuses", async () => {
      const { wire, first, second } = await readUnderTwo();
      await first.decide(true);
      await second.decide(refuse(403));
      await wire.fin();
      expect(wire.statuses).toEqual([403]);
    });

    test("brings one 100 when both have accepted", async () => {
      const { wire, first, second } = await readUnderTwo();
      await second.decide(true);
      await first.decide(true);
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
    expect(ends).toEqual([{ status: undefined, isRefused: false }]);
  });
});
