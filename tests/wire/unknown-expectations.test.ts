import { afterEach, describe, expect, test } from "@jest/globals";
import { type ExpectationOptions, expectations, type Policy, silent } from "../../src/index.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  isTlsKind,
  next,
  recordingLogger,
  startAttached,
  store,
} from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

afterEach(closeServers);

const upload = (expect: string, version = "1.1") =>
  `PUT /files HTTP/${version}\r\nHost: test\r\nExpect: ${expect}\r\nContent-Length: 5\r\n\r\nhello`;

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function connect(files: Handler[], options: Parameters<typeof startAttached>[2] = {}) {
    const routes = { "/files": files, "/next": next };
    const { port } = await startAttached(kind, { routes }, { logger: silent, ...options });
    return WireClient.connect(port, { tls: isTlsKind(kind) });
  }

  test("a guard that accepts one expectation has not accepted the other one", async () => {
    const asked: (string | undefined)[] = [];
    const guard = expectations({
      logger: silent,
      policies: [() => true],
      extensions: { tea: (_req, { expectation }) => asked.push(expectation?.name) > 0 },
    }) as Handler;
    const wire = await connect([guard, store], { extensions: ["tea", "coffee"] });
    wire.send(upload("tea, coffee"));
    expect((await wire.final()).status).toBe(417);
    await wire.fin();
    expect(wire.statuses).toEqual([417]);
    expect(asked).toEqual(["tea"]);
  });

  test.each(['tea="', "tea=;"])("a malformed member is not for the policy of its name: %s", async (member) => {
    let asked = 0;
    const guard = expectations({ logger: silent, extensions: { tea: () => ++asked > 0 } }) as Handler;
    const wire = await connect([guard, store], { extensions: ["tea"] });
    wire.send(upload(member));
    expect((await wire.final()).status).toBe(417);
    expect(asked).toBe(0);
  });

  test("the policy of an expectation runs once for each different member", async () => {
    const asked: (string | undefined)[] = [];
    const tea: Policy = async (_req, { expectation }) => {
      asked.push(expectation?.value);
      return true;
    };
    const guard = expectations({ logger: silent, extensions: { tea } }) as Handler;
    const wire = await connect([guard, store], { extensions: ["tea"] });
    wire.send(upload(`${"tea,TEA,".repeat(1_000)}tea=green,${"100-continue,".repeat(100)}tea=black,tea=green`));
    expect((await wire.final()).status).toBe(201);
    expect(asked).toEqual([undefined, "green", "black"]);
  });

  describe("more than 16 different expectations", () => {
    const members = (count: number) => Array.from({ length: count }, (_, i) => `tea=${i}`).join();
    const REASON = "too many expectations: more than 16";

    const serve = async (options: Parameters<typeof startAttached>[2], guardOptions: ExpectationOptions = {}) => {
      let asked = 0;
      const logger = recordingLogger();
      const tea: Policy = () => {
        asked++;
        return true;
      };
      const guard = expectations({ logger, extensions: { tea }, ...guardOptions }) as Handler;
      const wire = await connect([guard, store], { logger, ...options });
      const told = () => logger.records.map(({ details }) => [details.policy, details.reason]);
      return { wire, asked: () => asked, told };
    };

    test("are refused at the gate, with no policy asked", async () => {
      const { wire, asked, told } = await serve({ extensions: ["tea"] });
      wire.send(upload(members(17)));
      expect((await wire.final()).status).toBe(417);
      await wire.fin();
      expect(asked()).toBe(0);
      expect(told()).toEqual([["unknown-expectation", REASON]]);
    });

    test.each(["refuse", "ignore"] as const)(
      "are refused by a guard whose unknownExpectations is %j, with no policy asked",
      async (unknownExpectations) => {
        const { wire, asked, told } = await serve({ unknownExpectations: "ignore" }, { unknownExpectations });
        wire.send(upload(members(17)));
        expect((await wire.final()).status).toBe(417);
        expect(asked()).toBe(0);
        expect(told()).toEqual([["unknown-expectation", REASON]]);
      },
    );

    test("16 are each judged", async () => {
      const { wire, asked } = await serve({ extensions: ["tea"] });
      wire.send(upload(members(16)));
      expect((await wire.final()).status).toBe(201);
      expect(asked()).toBe(16);
    });
  });

  test("a server that ignores what is unknown lets a route without a guard read", async () => {
    const wire = await connect([store], { unknownExpectations: "ignore" });
    wire.send(upload("tea"));
    expect((await wire.final()).status).toBe(201);
    expect(await wire.answersNext()).toBe(true);
  });

  test("100-continue counts for nothing in HTTP/1.0: a bare false is 403 there", async () => {
    const guard = expectations({ logger: silent, policies: [() => false] }) as Handler;
    const wire = await connect([guard, store]);
    wire.send(upload("100-continue", "1.0"));
    expect((await wire.final()).status).toBe(403);
  });
});
