import { afterEach, describe, expect, test } from "@jest/globals";
import { type ConcurrencyOptions, concurrency, expectations, silent } from "../../src/index.js";
import { deadline } from "../helpers/deadline.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { deferred } from "../helpers/deferred.js";
import { closeServers, type Handler, startAttached } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeServers);

const LONG_MS = deadline(60_000);

describe("1,000 clients, half of them with Expect, half pushing 1 MiB, and 10 places", () => {
  const CLIENTS = 1_000;
  const PLACES = 10;
  const SIZE = 2 ** 20;
  const CONTENT = Buffer.alloc(SIZE, "z");

  async function crowd(options: Partial<ConcurrencyOptions>, gate = new Gate()) {
    const room = concurrency({ limit: PLACES, maxWaitMs: LONG_MS, ...options });
    const arrived: string[] = [];
    const served: string[] = [];
    let inFlight = 0;
    let most = 0;
    const note = (req: { headers: Record<string, unknown> }) => {
      arrived.push(String(req.headers["x-name"]));
      return true;
    };
    // Counts by the request itself, beside the policy's own book-keeping.
    const files: Handler = (req, res) => {
      served.push(String(req.headers["x-name"]));
      inFlight++;
      most = Math.max(most, inFlight);
      res.once("close", () => inFlight--);
      let bytes = 0;
      req.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      req.on("end", () => void gate.passed.then(() => res.writeHead(201).end(String(bytes))));
    };
    const guard = expectations({
      logger: silent,
      policyTimeoutMs: LONG_MS,
      policies: [note as never, room],
    }) as Handler;
    const { port } = await startAttached(
      "Express 5",
      { use: [guard], routes: { "/files": files } },
      { logger: silent },
    );
    async function put(i: number, connected?: WireClient): Promise<WireClient> {
      const wire = connected ?? (await WireClient.connect(port));
      const isWaiting = i % 2 === 0;
      const head = ["PUT /files HTTP/1.1", "Host: test", `X-Name: ${i}`, `Content-Length: ${SIZE}`];
      if (isWaiting) head.push("Expect: 100-continue");
      wire.send(`${head.join("\r\n")}\r\n\r\n`);
      if (isWaiting) {
        await wire.until("an answer", () => wire.statuses.length > 0, LONG_MS);
        if (wire.statuses[0] !== 100) return wire;
      }
      wire.send(CONTENT);
      await wire.until("a final status", () => wire.finals.length > 0, LONG_MS);
      wire.destroy();
      return wire;
    }
    async function putAll(): Promise<WireClient[]> {
      const wires: WireClient[] = [];
      // Not all at once: the kernel drops connections beyond the backlog of the server.
      while (wires.length < CLIENTS) {
        wires.push(...(await Promise.all(Array.from({ length: 100 }, () => WireClient.connect(port)))));
      }
      return Promise.all(wires.map((wire, i) => put(i, wire)));
    }
    return { room, arrived, served, put, putAll, most: () => most, inFlight: () => inFlight };
  }

  test("990 wait: all are accepted in the end, never more than 10 at a time, in the order of arrival", async () => {
    const gate = new Gate();
    const { room, arrived, served, putAll, most, inFlight } = await crowd({ maxWaiting: CLIENTS }, gate);
    gate.close();
    const putting = putAll();
    await until(
      () => `all have arrived: ${arrived.length}, ${JSON.stringify(room.places)}`,
      () => arrived.length === CLIENTS,
    );
    expect(room.places).toMatchObject({ inUse: PLACES, waiting: CLIENTS - PLACES });
    gate.open();
    const wires = await putting;
    const counts = new Map<string, number>();
    for (const { statuses } of wires) counts.set(statuses.join(), (counts.get(statuses.join()) ?? 0) + 1);
    expect(Object.fromEntries(counts)).toEqual({ "100,201": CLIENTS / 2, "201": CLIENTS / 2 });
    expect(wires.every(({ finals }) => finals[0]?.body === String(SIZE))).toBe(true);
    expect([most(), served.length]).toEqual([PLACES, CLIENTS]);
    expect(served).toEqual(arrived);
    await until("all places are free", () => inFlight() === 0 && room.places.inUse === 0);
    expect(room.places.waiting).toBe(0);
  }, 120_000);

  test("100 may wait: 890 are refused with 503 and Retry-After, and who obeys that gets in", async () => {
    const gate = new Gate();
    const { room, arrived, put, putAll, most } = await crowd({ maxWaiting: 100 }, gate);
    // Places have changed hands before, so that there is something to estimate from.
    for (let i = 0; i < PLACES; i++) expect((await put(i)).finals[0]?.status).toBe(201);
    await until("all places are free", () => room.places.inUse === 0);
    gate.close();
    const putting = putAll();
    await until("all have arrived", () => arrived.length === PLACES + CLIENTS);
    expect(room.places).toMatchObject({ inUse: PLACES, waiting: 100 });
    gate.open();
    const wires = await putting;
    const refusals = wires.flatMap(({ finals }) => finals.filter(({ status }) => status === 503));
    expect([refusals.length, most()]).toEqual([CLIENTS - PLACES - 100, PLACES]);
    const seconds = refusals.map(({ headers }) => Number(headers["retry-after"]));
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...seconds)).toBeLessThanOrEqual(deadline(10_000) / 1_000);
    await new Promise((resolve) => setTimeout(resolve, (seconds[0] as number) * 1_000));
    for (const i of [0, 1]) expect((await put(i)).finals[0]?.status).toBe(201);
  }, 120_000);
});

/** Holds responses back while it is closed. */
class Gate {
  #opened = deferred();

  constructor() {
    this.open();
  }

  get passed(): Promise<void> {
    return this.#opened.promise;
  }

  open(): void {
    this.#opened.resolve();
  }

  close(): void {
    this.#opened = deferred();
  }
}
