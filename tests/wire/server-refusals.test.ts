import { afterAll, describe, expect, test } from "@jest/globals";
import { expectations, handshakeOf, silent } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { deferred } from "../helpers/deferred.js";
import { closeServers, type Handler, HTTP1_KINDS, isTlsKind, startAttached } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { keptEnds } from "../helpers/verdict.js";
import { WireClient } from "../helpers/wire.js";

expectNothingDeadly();
// The tests wait for lingering connections most of the time: they run side by side, each with a server of its own.
afterAll(closeServers);

const upload = (expectation: string) =>
  `PUT /files HTTP/1.1\r\nHost: test\r\nExpect: ${expectation}\r\nContent-Length: 5\r\n\r\n`;

/** Refusals that come from no guard, and from no application. */
const REFUSALS = [
  [408, "100-continue", "ERR_EXPECT_BODY_TIMEOUT", [100, 408]],
  [417, "tea", "ERR_EXPECT_REFUSED", [417]],
] as const;

const OPTIONS = { logger: silent, bodyTimeoutMs: 50, extensions: ["tea"] };

describe.each(HTTP1_KINDS)("%s", (kind) => {
  const serve = async (files: Handler | Handler[]) => {
    const { port } = await startAttached(kind, { routes: { "/files": files } }, OPTIONS);
    return WireClient.connect(port, { tls: isTlsKind(kind) });
  };

  describe.each(REFUSALS)("the server's own %d", (status, expectation, code, statuses) => {
    test.concurrent("harms no application that goes on with its response", async () => {
      let seen: string | undefined;
      let goOn = () => {};
      const app: Handler = (req, res) => {
        req.on("data", () => {});
        req.on("error", (error: NodeJS.ErrnoException) => {
          seen = error.code;
        });
        goOn = () => {
          res.setHeader("X-Late", "1");
          res.writeHead(201);
          res.end("late");
        };
      };
      const wire = await serve(app);
      wire.send(upload(expectation));
      expect((await wire.final()).status).toBe(status);
      expect(goOn).not.toThrow();
      await wire.fin();
      expect(wire.statuses).toEqual(statuses);
      expect(seen).toBe(code);
    });

    test.concurrent("is told to policies and applications as a refusal", async () => {
      const { ends, policy } = keptEnds();
      const states: string[] = [];
      const guard = expectations({
        logger: silent,
        policies: [policy],
      }) as Handler;
      const app: Handler = (req, res) => {
        req.on("data", () => {}).on("error", () => {});
        res.on("close", () => states.push(handshakeOf(req).state));
      };
      const wire = await serve([guard, app]);
      wire.send(upload(expectation));
      expect((await wire.final()).status).toBe(status);
      await until("policy and application are told", () => ends.length > 0 && states.length > 0);
      expect(ends).toEqual([{ status, isRefused: true, isWhole: false }]);
      expect(states).toEqual(["refused"]);
    });
  });

  test.concurrent.each(["data", "readable"])(
    "a refused reader by '%s' that listens for no errors sees its content end",
    async (event) => {
      const ended = deferred<boolean>();
      const app: Handler = (req) => {
        req.on(event, () => void req.read());
        req.once("close", () => ended.resolve(req.readableEnded));
      };
      const wire = await serve(app);
      wire.send(upload("tea"));
      expect((await wire.final()).status).toBe(417);
      expect(await ended.promise).toBe(false);
    },
  );
});
