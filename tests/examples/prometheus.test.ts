import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { deadline } from "../helpers/deadline.js";
import { freePort } from "../helpers/ports.cjs";
import { WireClient } from "../helpers/wire.js";
import { missing } from "../proxies/programs.js";
import { Checkout, REPOSITORY } from "./checkout.js";

// Builds the package first.
jest.setTimeout(90_000);

const EXAMPLE = path.join(REPOSITORY, "examples/prometheus");
const DEADLINE_MS = 30_000;

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly type: string;
  readonly datasource: { readonly type: string; readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig: { readonly defaults: { readonly unit: string } };
  readonly targets: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query: unknown;
  readonly definition?: string;
}

interface Dashboard {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly templating: { readonly list: readonly Variable[] };
  readonly panels: readonly Panel[];
}

let checkout: Checkout;
let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = JSON.parse(await fs.readFile(path.join(EXAMPLE, "dashboard.json"), "utf8"));
  checkout = await Checkout.make();
  await checkout.build();
});
afterAll(() => checkout?.remove());

async function until<T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + deadline(DEADLINE_MS);
  for (;;) {
    const result = await attempt();
    if (result !== undefined) return result;
    if (performance.now() > end) throw new Error(`not within ${DEADLINE_MS} ms: ${what}`);
    await after(50);
  }
}

/** Sends a head; the content once a 100 has come, where it is asked for. */
async function upload(port: number, target: string, fields: readonly string[], content = ""): Promise<WireClient> {
  const wire = await WireClient.connect(port);
  wire.send([`PUT ${target} HTTP/1.1`, "Host: test", ...fields, "", ""].join("\r\n"));
  await wire.until("an answer", () => wire.statuses.length > 0);
  if (wire.statuses[0] === 100) wire.send(content);
  await wire.final();
  return wire;
}

const TOKEN = "Authorization: Bearer open-sesame";
const EXPECT = "Expect: 100-continue";
const IMAGE = "Content-Type: image/png";

const DEMO: readonly [what: string, target: string, fields: readonly string[], statuses: readonly number[]][] = [
  ["an upload", "/images/1", [TOKEN, EXPECT, IMAGE, "Content-Length: 5"], [100, 201]],
  ["nobody", "/images/1", [EXPECT, IMAGE, "Content-Length: 5"], [401]],
  ["no length", "/images/1", [TOKEN, EXPECT, IMAGE, "Transfer-Encoding: chunked"], [411]],
  ["no image", "/images/1", [TOKEN, EXPECT, "Content-Type: text/plain", "Content-Length: 5"], [415]],
  ["too large", "/images/1", [TOKEN, EXPECT, IMAGE, "Content-Length: 9000000"], [413]],
  ["a disk that is not there", "/archive/1", [TOKEN, EXPECT, "Content-Length: 5"], [500]],
];
/** Those, the four clips, of which one is accepted and cut off, and the one that lingers. */
const DECISIONS_A_ROUND = DEMO.length + 5 + 1;

/** One round of demo traffic; the client of the last refusal holds on to its connection, which lingers. */
async function demo(port: number): Promise<WireClient> {
  for (const [what, target, fields, statuses] of DEMO) {
    const wire = await upload(port, target, fields, "hello");
    expect({ what, statuses: wire.statuses }).toEqual({ what, statuses });
    wire.destroy();
  }
  await clips(port);
  const lingering = await upload(port, "/images/1", [TOKEN, "Content-Type: text/plain", "Content-Length: 5"]);
  expect(lingering.statuses).toEqual([415]);
  return lingering;
}

/** Two clients with one place, a third for which there is none, and one that brings more than it may. */
async function clips(port: number): Promise<void> {
  const begin = async (framing: string) => {
    const wire = await WireClient.connect(port);
    wire.send(["PUT /clips/1 HTTP/1.1", "Host: test", TOKEN, EXPECT, framing, "", ""].join("\r\n"));
    return wire;
  };
  const bring = async (wire: WireClient, content: string, status: number) => {
    await wire.status(100);
    wire.send(content);
    expect((await wire.final()).status).toBe(status);
    wire.destroy();
  };
  const metrics = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();

  const first = await begin("Content-Length: 5");
  await first.status(100);
  const second = await begin("Content-Length: 5");
  await until("the second waits", async () =>
    (await metrics()).includes('http_expectation_waiting_uploads{policy="clips"} 1') ? true : undefined,
  );
  const third = await begin("Content-Length: 5");
  expect((await third.final()).status).toBe(503);
  third.destroy();
  await bring(first, "hello", 201);
  await bring(second, "hello", 201);
  await bring(await begin("Transfer-Encoding: chunked"), `100001\r\n${"x".repeat(0x100001)}\r\n`, 413);
}

describe("the dashboard", () => {
  test("has panels that say what they show and in which unit, each in its place", () => {
    expect(dashboard.panels.length).toBeGreaterThanOrEqual(8);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    expect(new Set(dashboard.panels.map(({ title }) => title)).size).toBe(dashboard.panels.length);
    const taken = new Set<string>();
    for (const { title, description, fieldConfig, targets, gridPos } of dashboard.panels) {
      expect({ title, description }).toEqual({ title, description: expect.stringMatching(/\.$/) });
      expect({ title, unit: fieldConfig.defaults.unit }).toEqual({ title, unit: expect.stringMatching(/^[a-z]+$/) });
      expect(targets.length).toBeGreaterThan(0);
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken).not.toContain(`${x} ${y}`);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });

  test("asks the data source that its variable names, and no other", () => {
    const [source] = dashboard.templating.list;
    expect(source).toMatchObject({ name: "datasource", type: "datasource", query: "prometheus" });
    const asked: unknown[] = [];
    JSON.parse(JSON.stringify(dashboard), (key, value) => {
      if (key === "datasource") asked.push(value);
      return value;
    });
    expect(asked.length).toBeGreaterThan(dashboard.panels.length * 2);
    for (const one of asked)
      expect(one).toEqual({ type: "prometheus", uid: expect.stringMatching(/^\$\{datasource\}$/) });
  });
});

describe("the two module systems in one process", () => {
  const program = (app: string, metrics: string) => `
    import assert from "node:assert";
    import { createRequire } from "node:module";
    import { once } from "node:events";
    import http from "node:http";
    import { Registry } from "prom-client";
    import * as esm from "express-expectations";
    import * as esmMetrics from "express-expectations/prometheus";
    const require = createRequire(process.cwd() + "/");
    const cjs = require("express-expectations");
    const cjsMetrics = require("express-expectations/prometheus");
    assert.notStrictEqual(cjs.attach, esm.attach);
    assert.notStrictEqual(cjsMetrics.instrument, esmMetrics.instrument);

    const registry = new Registry();
    ${metrics}Metrics.instrument(registry);
    for (const { instrument } of [esmMetrics, cjsMetrics]) {
      assert.throws(() => instrument(registry), { code: "ERR_EXPECT_OPTION" });
    }
    const { attach, expectations, refuse, silent } = ${app};
    let verdict;
    const guard = expectations({ logger: silent, policies: [function ours() { return new Promise((r) => { verdict = r; }); }] });
    const server = http.createServer((req, res) => guard(req, res, () => res.end()));
    attach(server).listen(0, "127.0.0.1");
    await once(server, "listening");
    const ask = async () => {
      const req = http.request({ port: server.address().port, method: "PUT", headers: { Expect: "100-continue", "Content-Length": 7 } });
      req.flushHeaders();
      while (!verdict) await new Promise((resolve) => setTimeout(resolve, 2));
      console.log((await registry.metrics()).match(/^http_expectation_pending.*/m)[0]);
      verdict(refuse(403));
      verdict = undefined;
      const [res] = await once(req, "response");
      req.destroy();
      return res.statusCode;
    };
    console.log(await ask());
    console.log((await registry.metrics()).match(/^http_expectations_total.*/m)[0]);
    registry.getSingleMetric("http_expectations_total").inc = () => { throw new Error("full"); };
    console.log(await ask());
    server.close();
    server.closeAllConnections();
    await once(server, "close");
    console.log("went on");
  `;

  test.each([
    ["cjs", "esm"],
    ["esm", "cjs"],
  ])("guards of the %s copy are counted by the %s copy, and go on when a metric throws", async (app, metrics) => {
    const running = checkout.start(["--input-type=module", "-e", program(app, metrics)]);
    const code = await running.end();
    const lines = running.output.split("\n").filter((line) => /^(?:http_|\d|went)/.test(line));
    expect({ code, lines, output: running.output }).toMatchObject({
      code: 0,
      lines: [
        "http_expectation_pending_handshakes 1",
        "403",
        'http_expectations_total{decision="refused",status="403",policy="ours"} 1',
        "http_expectation_pending_handshakes 1",
        "403",
        "went on",
      ],
      output: expect.stringContaining("ExpectationsWarning: a subscriber of express-expectations:refuse threw"),
    });
  });
});

const absent = missing("prometheus", "promtool");

(absent.length === 0 ? describe : describe.skip)("with Prometheus", () => {
  let port: number;
  let prometheus: Prometheus;

  beforeAll(async () => {
    port = await checkout.start(["examples/prometheus/server.mjs", "0", "no-such-folder"]).port();
    prometheus = await Prometheus.start(path.join(checkout.folder, "scraping"), port);
    // Two rounds, each scraped: a rate needs a sample before and one after.
    for (const round of [1, 2]) {
      const lingering = await demo(port);
      await prometheus.until(`sum(http_expectation_decision_seconds_count) == ${round * DECISIONS_A_ROUND}`);
      if (round === 2) await prometheus.until("http_expectation_lingering_connections >= 1");
      lingering.destroy();
    }
  });
  afterAll(() => prometheus?.stop());

  test("the metrics have the names and units that Prometheus asks for", async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(metrics.match(/^# TYPE http_expectation/gm)?.length).toBeGreaterThan(5);
    expect(promtool(["check", "metrics"], metrics)).toEqual({ status: 0, output: "" });
  });

  test("promtool finds nothing wrong with the configuration and the rules", () => {
    const config = promtool(["check", "config", path.join(EXAMPLE, "prometheus.yml")]);
    expect(config).toMatchObject({ status: 0, output: expect.stringContaining("1 rule files found") });
    const rules = promtool(["check", "rules", path.join(EXAMPLE, "rules.yml")]);
    expect(rules).toMatchObject({ status: 0, output: expect.stringContaining("7 rules found") });
  });

  test("every panel's queries return numbers", async () => {
    const values = new Map<string, string>([
      ["__rate_interval", "1m"],
      ["__range", "1m"],
    ]);
    for (const { name, definition } of dashboard.templating.list) {
      const [, selector = "", label = ""] = /^label_values\((.*), (\w+)\)$/.exec(definition ?? "") ?? [];
      if (label !== "") values.set(name, await prometheus.labelValues(label, filled(selector, values)));
    }
    expect(values.get("job")).toBe("uploads");
    for (const { title, targets } of dashboard.panels) {
      for (const { expr } of targets) {
        const numbers = (await prometheus.query(filled(expr, values))).map(({ value }) => value);
        expect({ title, expr, numbers }).toMatchObject({ numbers: expect.arrayContaining([expect.any(Number)]) });
        expect({ title, expr, numbers, finite: numbers.some(Number.isFinite) }).toMatchObject({ finite: true });
        // Levels may be at 0 at any moment; all that happened in the two rounds is above it.
        const isLevel = expr.startsWith("http_");
        expect({ title, expr, numbers, some: numbers.some((n) => n > 0 || isLevel) }).toMatchObject({ some: true });
      }
    }
  });

  test("the panel of refusals tells every policy of the demo from the others", async () => {
    const panel = dashboard.panels.find(({ title }) => title === "Refusals and faults by policy and status");
    const all = new Map(["job", "instance"].map((name) => [name, ".*"])).set("__rate_interval", "1m");
    const series = await prometheus.query(filled(panel?.targets[0]?.expr ?? "", all));
    expect(series.map(({ metric }) => `${metric.policy} ${metric.status}`).sort()).toEqual([
      "authorize 401",
      "concurrency 503",
      "isMounted 500",
      "knownLength 411",
      "maxSize 413",
      "mediaTypes 415",
    ]);
  });

  test("every rule is evaluated, and the fault raises its alert", async () => {
    const records = (await prometheus.rules()).filter(({ type }) => type === "recording");
    expect(records).toHaveLength(3);
    for (const { name } of records) await prometheus.until(`${name} > 0`);
    await until("the alert fires", async () =>
      (await prometheus.rules()).find(({ name, state }) => name === "UploadPolicyFaults" && state === "firing"),
    );
    const rules = await prometheus.rules();
    expect(rules.filter(({ health }) => health !== "ok")).toEqual([]);
    // In so little time and with so little traffic, nothing else is wrong.
    expect(rules.filter(({ state }) => state === "firing").map(({ name }) => name)).toEqual(["UploadPolicyFaults"]);
  });

  test("each alert fires where it should, and not where it should not", async () => {
    const file = await checkout.write("scraping/alerts.test.yml", ALERTS);
    const { status, output } = promtool(["test", "rules", file]);
    expect({ status, output }).toMatchObject({ status: 0, output: expect.stringContaining("SUCCESS") });
  });
});

function promtool(args: readonly string[], input = ""): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync("promtool", args, {
    input,
    encoding: "utf8",
    timeout: deadline(DEADLINE_MS),
  });
  return { status, output: stdout + stderr };
}

/** Replaces what Grafana would. */
function filled(expr: string, values: ReadonlyMap<string, string>): string {
  return expr.replace(/\$(\w+)/g, (_all, name: string) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`no variable ${name} for ${expr}`);
    return value;
  });
}

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Rule {
  readonly name: string;
  readonly type: "recording" | "alerting";
  readonly health: string;
  readonly state?: string;
}

/** Real Prometheus with the shipped configuration, which scrapes often. */
class Prometheus {
  output = "";

  private constructor(
    readonly port: number,
    readonly child: ChildProcess,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
  }

  static async start(folder: string, scraped: number): Promise<Prometheus> {
    await fs.mkdir(folder, { recursive: true });
    const shipped = await fs.readFile(path.join(EXAMPLE, "prometheus.yml"), "utf8");
    const config = shipped
      .replace("127.0.0.1:3000", `127.0.0.1:${scraped}`)
      .replaceAll("_interval: 15s", "_interval: 200ms");
    expect(config.match(/200ms/g)).toHaveLength(2);
    expect(config).toContain(`:${scraped}"`);
    await fs.writeFile(path.join(folder, "prometheus.yml"), config);
    await fs.copyFile(path.join(EXAMPLE, "rules.yml"), path.join(folder, "rules.yml"));
    const port = await freePort();
    const args = [
      `--config.file=${path.join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${path.join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const prometheus = new Prometheus(
      port,
      spawn("prometheus", args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] }),
    );
    try {
      await prometheus.until("up == 1");
    } catch (error) {
      await prometheus.stop();
      throw error;
    }
    return prometheus;
  }

  async #get(target: string): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${this.port}/api/v1/${target}`);
    const { status, data, error } = (await response.json()) as { status: string; data: unknown; error?: string };
    if (status !== "success") throw new Error(`${target}: ${error}`);
    return data;
  }

  async query(expr: string): Promise<Series[]> {
    const data = (await this.#get(`query?query=${encodeURIComponent(expr)}`)) as {
      result: { metric: Record<string, string>; value: [number, string] }[];
    };
    return data.result.map(({ metric, value: [, text] }) => ({ metric, value: Number(text) }));
  }

  /** All values of a label, as Grafana puts them into a regular expression. */
  async labelValues(label: string, selector: string): Promise<string> {
    const values = (await this.#get(`label/${label}/values?match[]=${encodeURIComponent(selector)}`)) as string[];
    return values.map((value) => value.replace(/[\\^$.*+?()[\]{}|]/g, "\\\\$&")).join("|");
  }

  async rules(): Promise<Rule[]> {
    const { groups } = (await this.#get("rules")) as { groups: { rules: Rule[] }[] };
    return groups.flatMap(({ rules }) => rules);
  }

  /** Waits until an expression is true of something. */
  async until(expr: string): Promise<void> {
    await until(`${expr}\n${this.output}`, async () => {
      if (this.child.exitCode !== null) throw new Error(`ended with ${this.child.exitCode}:\n${this.output}`);
      const series = await this.query(expr).catch(() => []);
      return series.length > 0 ? true : undefined;
    });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, "exit");
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), deadline(10_000));
    await exited;
    clearTimeout(timer);
  }
}

/** A quiet hour, and one in which everything goes wrong from the 30th minute on. */
const ALERTS = `
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - { series: 'http_expectation_decision_seconds_count{job="quiet", instance="a", decision="accepted"}', values: "0+60x60" }
      - { series: 'http_expectation_decision_seconds_count{job="quiet", instance="a", decision="refused"}', values: "0+40x60" }
      - { series: 'http_expectation_decision_seconds_count{job="quiet", instance="a", decision="error"}', values: "0x60" }
      - { series: 'http_expectation_decision_seconds_bucket{job="quiet", instance="a", decision="accepted", le="0.25"}', values: "0+60x60" }
      - { series: 'http_expectation_decision_seconds_bucket{job="quiet", instance="a", decision="accepted", le="+Inf"}', values: "0+60x60" }
      - { series: 'http_expectation_decision_seconds_bucket{job="quiet", instance="a", decision="refused", le="0.25"}', values: "0x60" }
      - { series: 'http_expectation_decision_seconds_bucket{job="quiet", instance="a", decision="refused", le="+Inf"}', values: "0+40x60" }
      - { series: 'http_expectation_lingering_connections{job="quiet", instance="a"}', values: "800x60" }
      - { series: 'http_expectation_decision_seconds_count{job="idle", instance="b", decision="accepted"}', values: "0x60" }
      - { series: 'http_expectation_decision_seconds_count{job="idle", instance="b", decision="refused"}', values: "0+1x60" }
      - { series: 'http_expectation_decision_seconds_count{job="loud", instance="c", decision="accepted"}', values: "0+60x60" }
      - { series: 'http_expectation_decision_seconds_count{job="loud", instance="c", decision="refused"}', values: "0x29 0+90x30" }
      - { series: 'http_expectation_decision_seconds_count{job="loud", instance="c", decision="error"}', values: "0x30 1x29" }
      - { series: 'http_expectation_decision_seconds_bucket{job="loud", instance="c", decision="accepted", le="0.25"}', values: "0+60x30 1800x29" }
      - { series: 'http_expectation_decision_seconds_bucket{job="loud", instance="c", decision="accepted", le="1"}', values: "0+60x60" }
      - { series: 'http_expectation_decision_seconds_bucket{job="loud", instance="c", decision="accepted", le="+Inf"}', values: "0+60x60" }
      - { series: 'http_expectation_lingering_connections{job="loud", instance="c"}', values: "0x30 801x29" }
    promql_expr_test:
      - expr: ALERTS{alertstate="firing"}
        eval_time: 29m
      - expr: count by (alertname, job) (ALERTS{alertstate="firing"})
        eval_time: 33m
        exp_samples:
          - { labels: '{alertname="UploadPolicyFaults", job="loud"}', value: 1 }
          - { labels: '{alertname="RefusedConnectionsNearBound", job="loud"}', value: 1 }
      - expr: count by (alertname, job) (ALERTS{alertstate="firing"})
        eval_time: 55m
        exp_samples:
          - { labels: '{alertname="UploadsMostlyRefused", job="loud"}', value: 1 }
          - { labels: '{alertname="UploadVerdictsSlow", job="loud"}', value: 1 }
          - { labels: '{alertname="RefusedConnectionsNearBound", job="loud"}', value: 1 }
      - expr: job:http_expectation_refusals:ratio_rate5m
        eval_time: 55m
        exp_samples:
          - { labels: 'job:http_expectation_refusals:ratio_rate5m{job="idle"}', value: 1 }
          - { labels: 'job:http_expectation_refusals:ratio_rate5m{job="loud"}', value: 0.6 }
          - { labels: 'job:http_expectation_refusals:ratio_rate5m{job="quiet"}', value: 0.4 }
`;
