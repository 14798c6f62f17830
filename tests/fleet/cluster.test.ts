import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { AggregatorRegistry, Registry } from "prom-client";
import { diskSpace, expectations, silent } from "../../src/index.js";
import { instrument } from "../../src/observe/prometheus.js";
import type { Summary } from "../../src/report/summary.js";
import { deadline } from "../helpers/deadline.js";
import { type Handler, startAttached, store } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { PLAIN, WireClient } from "../helpers/wire.js";
import { transpiled } from "../redis/processes.js";

interface Ports {
  readonly primary: number;
  readonly workers: readonly number[];
}

const children: ChildProcess[] = [];
// Both start at once, because a cluster takes seconds.
let whole: Promise<Ports>;
let withoutRegistries: Promise<Ports>;

beforeAll(() => {
  const program = path.join(transpiled(path.join(__dirname, "cluster-server.mjs")), "cluster-server.mjs");
  whole = start(program, true);
  withoutRegistries = start(program, false);
});

afterAll(async () => {
  for (const child of children) {
    if (child.exitCode !== null) continue;
    const exited = once(child, "exit");
    // Its workers end when they lose it.
    child.kill("SIGKILL");
    await exited;
  }
});

async function start(program: string, hasRegistry: boolean): Promise<Ports> {
  const args = [program, JSON.stringify({ hasRegistry })];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const signal = AbortSignal.timeout(deadline(15_000));
  const [line] = await once(child.stdout as NonNullable<ChildProcess["stdout"]>, "data", { signal });
  return JSON.parse(String(line));
}

/** Uploads of 11 bytes are refused, of 1 byte accepted. */
async function send(port: number, bytes: number): Promise<number> {
  const wire = await WireClient.connect(port);
  wire.send(
    `PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: ${bytes}\r\nConnection: close\r\n\r\n`,
    "x".repeat(bytes),
  );
  const { status } = await wire.final();
  wire.destroy();
  return status;
}

async function get(port: number, target: string): Promise<{ status: number; body: string }> {
  const wire = await WireClient.connect(port);
  wire.send(`GET ${target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`);
  await wire.fin();
  const response = await wire.final();
  wire.destroy();
  return response;
}

async function counted(port: number): Promise<string> {
  const { refused, accepted } = JSON.parse((await get(port, "/ops/summary.json")).body) as Summary;
  return `${refused} refused, ${accepted} accepted`;
}

const REFUSALS = [3, 2, 1];

async function decide({ workers }: Ports): Promise<void> {
  for (const [i, port] of workers.entries()) {
    for (let n = 0; n < (REFUSALS[i] as number); n++) expect(await send(port, 11)).toBe(413);
    expect(await send(port, 1)).toBe(201);
  }
}

test("the page of each worker, and that of the primary process, show the decisions of all workers", async () => {
  const ports = await whole;
  await decide(ports);
  for (const port of [...ports.workers.slice(0, 2), ports.primary]) {
    let seen = "nothing";
    await until(
      () => `the page on ${port} shows all: ${seen}`,
      async () => {
        seen = await counted(port);
        return seen === "6 refused, 3 accepted";
      },
    );
  }
});

interface MetricJson {
  readonly name: string;
  readonly values: readonly { readonly value: number }[];
}

function freeBytes(metrics: readonly MetricJson[]): number[] | undefined {
  const metric = metrics.find(({ name }) => name === "http_expectation_disk_free_bytes");
  return metric?.values.map(({ value }) => value);
}

describe("AggregatorRegistry of prom-client", () => {
  // The decisions of the test above. The third worker counts in a registry that nobody has named.
  test("adds up the workers that count in the global registry, or in one of setRegistries()", async () => {
    const { primary } = await whole;
    const { status, body } = await get(primary, "/metrics");
    expect(status).toBe(200);
    expect(body.split("\n")).toEqual(
      expect.arrayContaining([
        'http_expectations_total{decision="refused",status="413",policy="maxSize"} 5',
        'http_expectations_total{decision="accepted",status="none",policy="none"} 2',
      ]),
    );
  });

  test("gets no answer from workers that have made no AggregatorRegistry", async () => {
    const { primary } = await withoutRegistries;
    expect(await get(primary, "/metrics")).toMatchObject({ status: 500, body: "Operation timed out." });
  });

  test("takes the free bytes of one file system once, and not once for each worker", async () => {
    const registry = new Registry();
    const undo = instrument(registry);
    const policy = diskSpace({ path: tmpdir(), keepFree: 0 });
    const server = await startAttached("node:http", {
      use: [expectations({ logger: silent, policies: [policy] }) as Handler],
      routes: { "/files": store },
    });
    const wire = await WireClient.connect(server.port);
    wire.send(PLAIN);
    await until("a worker looks at the disk", async () => (await registry.metrics()).includes("free_bytes{"));
    const worker = (await registry.getMetricsAsJSON()) as unknown as MetricJson[];
    const both = AggregatorRegistry.aggregate([worker, worker] as never);
    const sum = (await both.getMetricsAsJSON()) as unknown as MetricJson[];
    expect(freeBytes(worker)).toEqual([expect.any(Number)]);
    expect(freeBytes(sum)).toEqual(freeBytes(worker));
    undo();
    wire.destroy();
    await server.close();
  });
});
