import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import client, { Counter, type OpenMetricsContentType, Registry } from "prom-client";
import {
  acceptChannel,
  contentChannel,
  errorChannel,
  gauges,
  publish,
  refuseChannel,
} from "../../../src/observe/diagnostics.js";
import { instrument, type MetricsRegistry } from "../../../src/observe/prometheus.js";
import { type PlaceChange, type Places, placeChannel } from "../../../src/support/places.js";
import { spaces } from "../../../src/support/spaces.js";

const undoes: (() => void)[] = [];
afterEach(() => {
  for (const undo of undoes.splice(0)) undo();
});

function instrumented(...[options]: [Parameters<typeof instrument>[1]?]): Registry {
  const registry = new Registry();
  undoes.push(instrument(registry, options));
  return registry;
}

const accepted = (record: object = {}) => publish(acceptChannel, { record: { durationMs: 1, ...record } });
const refused = (record: object = {}) =>
  publish(refuseChannel, { record: { durationMs: 1, status: 413, policy: "maxSize", ...record } });
const failed = (record: object = {}) =>
  publish(errorChannel, { record: { durationMs: 1, status: 500, policy: "ours", ...record } });
const contentCame = (waitedMs: number) => publish(contentChannel, { waitedMs });

interface Sample {
  readonly labels: Record<string, string | number>;
  readonly value: number;
}

/** The samples of a metric, or of one of a histogram's series. */
async function samples(registry: MetricsRegistry, name: string): Promise<Sample[]> {
  const text = await registry.metrics();
  const pattern = new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, "gm");
  return [...text.matchAll(pattern)].map(([, labels = "", value]) => ({
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text])),
    value: Number(value),
  }));
}

async function value(registry: MetricsRegistry, name: string, labels: Record<string, string> = {}): Promise<number> {
  const all = await samples(registry, name);
  const matching = all.filter((sample) => Object.entries(labels).every(([key, text]) => sample.labels[key] === text));
  expect(matching).toHaveLength(1);
  return matching[0]?.value as number;
}

describe("places", () => {
  const levels = { name: "uploads", limit: 2, inUse: 0, waiting: 0 };
  const changed = (change: PlaceChange, waitedMs = 0, places: Partial<Places> = {}) =>
    publish(placeChannel, { change, waitedMs, places: { ...levels, ...places } });

  test("have series at 0 from the first change on, and none before", async () => {
    const registry = instrumented();
    expect(await samples(registry, "http_expectation_place_refusals_total")).toEqual([]);
    changed("taken");
    expect(await samples(registry, "http_expectation_place_refusals_total")).toEqual(
      ["full", "late", "evicted", "lost"].map((reason) => ({ labels: { policy: "uploads", reason }, value: 0 })),
    );
    expect(await samples(registry, "http_expectation_waited_seconds_count")).toEqual(
      ["taken", "left", "late", "evicted"].map((end) => ({ labels: { policy: "uploads", end }, value: 0 })),
    );
  });

  test("count refusals by why, and waits by how they ended", async () => {
    const registry = instrumented();
    changed("taken");
    changed("waiting");
    changed("taken", 40);
    changed("full");
    changed("full");
    changed("late", 5_000);
    changed("evicted", 100);
    changed("left", 20);
    changed("lost");
    changed("freed");
    const refusals = (reason: string) => value(registry, "http_expectation_place_refusals_total", { reason });
    expect(await Promise.all(["full", "late", "evicted", "lost"].map(refusals))).toEqual([2, 1, 1, 1]);
    const waits = (end: string) => value(registry, "http_expectation_waited_seconds_sum", { end });
    expect(await Promise.all(["taken", "late", "evicted", "left"].map(waits))).toEqual([0.04, 5, 0.1, 0.02]);
    // A place that was free at once is no wait.
    expect(await value(registry, "http_expectation_waited_seconds_count", { end: "taken" })).toBe(1);
  });

  test("are shown as they are at the scrape, the policies of one name together", async () => {
    const registry = instrumented();
    const [one, other] = [
      { ...levels, inUse: 1 },
      { ...levels, inUse: 2, waiting: 7 },
    ];
    for (const places of [one, other]) publish(placeChannel, { change: "taken", waitedMs: 0, places });
    const now = async () => [
      await value(registry, "http_expectation_used_places", { policy: "uploads" }),
      await value(registry, "http_expectation_waiting_uploads", { policy: "uploads" }),
    ];
    expect(await now()).toEqual([3, 7]);
    Object.assign(other, { inUse: 1, waiting: 6 });
    expect(await now()).toEqual([2, 6]);
    for (const places of [one, other]) {
      Object.assign(places, { inUse: 0, waiting: 0 });
      publish(placeChannel, { change: "freed", waitedMs: 0, places });
    }
    expect(await now()).toEqual([0, 0]);
  });

  test("of 100 policies by name, and of all others together", async () => {
    const registry = instrumented();
    for (let i = 0; i < 150; i++) changed("full", 0, { name: `room ${i}`, inUse: 1 });
    expect(await value(registry, "http_expectation_used_places", { policy: "other" })).toBe(50);
    const full = { policy: "other", reason: "full" };
    expect(await value(registry, "http_expectation_place_refusals_total", full)).toBe(50);
    expect(await samples(registry, "http_expectation_used_places")).toHaveLength(101);
  });
});

describe("disk space", () => {
  afterEach(() => spaces().clear());

  const space = (path: string, free: number | undefined, expected = 0) => {
    const watched = { path, free, expected, update: jest.fn(async () => {}) };
    spaces().set(path, watched);
    return watched;
  };

  test("is asked for at each scrape; a file system that does not answer has no value", async () => {
    const registry = instrumented();
    expect(await samples(registry, "http_expectation_disk_free_bytes")).toEqual([]);
    const uploads = space("/uploads", 1, 500);
    uploads.update.mockImplementation(async () => {
      uploads.free = 1_000;
    });
    space("/gone", undefined);
    expect(await samples(registry, "http_expectation_disk_free_bytes")).toEqual([
      { labels: { path: "/uploads" }, value: 1_000 },
    ]);
    expect(await samples(registry, "http_expectation_disk_expected_bytes")).toEqual([
      { labels: { path: "/uploads" }, value: 500 },
      { labels: { path: "/gone" }, value: 0 },
    ]);
    uploads.update.mockImplementation(async () => {
      uploads.free = undefined;
    });
    expect(await samples(registry, "http_expectation_disk_free_bytes")).toEqual([]);
  });
});

describe("counts", () => {
  test("what was accepted, with and without a 100", async () => {
    const registry = instrumented();
    accepted({ status: 100 });
    accepted({ status: 100 });
    accepted();
    expect(await samples(registry, "http_expectations_total")).toEqual([
      { labels: { decision: "accepted", status: "100", policy: "none" }, value: 2 },
      { labels: { decision: "accepted", status: "none", policy: "none" }, value: 1 },
    ]);
  });

  test("what was refused and what broke, by status and policy", async () => {
    const registry = instrumented();
    refused();
    refused();
    refused({ status: 401, policy: "authorize" });
    failed({ status: 503 });
    expect(await samples(registry, "http_expectations_total")).toEqual([
      { labels: { decision: "refused", status: "413", policy: "maxSize" }, value: 2 },
      { labels: { decision: "refused", status: "401", policy: "authorize" }, value: 1 },
      { labels: { decision: "error", status: "503", policy: "ours" }, value: 1 },
    ]);
  });

  test("nothing at first, but the decisions are there for the first of them to be an increase", async () => {
    const registry = instrumented();
    expect(await samples(registry, "http_expectation_decision_seconds_count")).toEqual(
      ["accepted", "refused", "error"].map((decision) => ({ labels: { decision }, value: 0 })),
    );
    expect(await samples(registry, "http_expectations_total")).toEqual([]);
  });

  test("times in seconds", async () => {
    const registry = instrumented();
    accepted({ durationMs: 0.4 });
    refused({ durationMs: 20 });
    failed({ durationMs: 10_001 });
    const bucket = (decision: string, le: string) =>
      value(registry, "http_expectation_decision_seconds_bucket", { decision, le });
    expect(await bucket("accepted", "0.0005")).toBe(1);
    expect(await bucket("refused", "0.01")).toBe(0);
    expect(await bucket("refused", "0.025")).toBe(1);
    expect(await bucket("error", "10")).toBe(0);
    expect(await bucket("error", "+Inf")).toBe(1);
    expect(await value(registry, "http_expectation_decision_seconds_sum", { decision: "refused" })).toBe(0.02);

    contentCame(250);
    expect(await value(registry, "http_expectation_first_content_seconds_count")).toBe(1);
    expect(await value(registry, "http_expectation_first_content_seconds_sum")).toBe(0.25);
  });

  test("the bytes that refusals and faults spared", async () => {
    const registry = instrumented();
    const spared = () => value(registry, "http_expectation_spared_bytes_total");
    expect(await spared()).toBe(0);
    refused({ bytesSpared: 1_000 });
    failed({ bytesSpared: 24 });
    refused({ bytesSpared: 0 });
    refused();
    expect(await spared()).toBe(1_024);
  });

  test("no absurd length that a client declared, after which a float would lose all others", async () => {
    const registry = instrumented();
    for (const bytesSpared of [2 ** 64, Number.POSITIVE_INFINITY, Number.NaN]) refused({ bytesSpared });
    refused({ bytesSpared: 1 });
    expect(await value(registry, "http_expectation_spared_bytes_total")).toBe(2 ** 41 + 1);
  });

  test("100 policies by name, and all others together", async () => {
    const registry = instrumented();
    for (let i = 0; i < 150; i++) refused({ policy: `policy ${i}` });
    refused({ policy: "policy 99" });
    failed({ policy: "policy 100" });
    const of = (policy: string, decision: string) => value(registry, "http_expectations_total", { policy, decision });
    expect(await samples(registry, "http_expectations_total")).toHaveLength(102);
    expect(await of("policy 99", "refused")).toBe(2);
    expect(await of("other", "refused")).toBe(50);
    expect(await of("other", "error")).toBe(1);
  });

  test("what is pending and lingering at the moment of the scrape", async () => {
    const registry = instrumented();
    const before = { ...gauges() };
    try {
      Object.assign(gauges(), { pendingHandshakes: 3, lingeringConnections: 4 });
      expect(await value(registry, "http_expectation_pending_handshakes")).toBe(3);
      expect(await value(registry, "http_expectation_lingering_connections")).toBe(4);
    } finally {
      Object.assign(gauges(), before);
    }
  });

  test("uploads that were cut off after they had been accepted, by policy", async () => {
    const registry = instrumented();
    refused();
    expect(await samples(registry, "http_expectation_cut_off_uploads_total")).toEqual([]);
    refused({ cutOffAfter: 0 });
    refused({ cutOffAfter: 5_000 });
    failed({ cutOffAfter: 1 });
    expect(await samples(registry, "http_expectation_cut_off_uploads_total")).toEqual([
      { labels: { policy: "maxSize" }, value: 2 },
      { labels: { policy: "ours" }, value: 1 },
    ]);
  });

  test("in each of several registries", async () => {
    const registries = [instrumented(), instrumented()];
    accepted({ status: 100 });
    for (const registry of registries) expect(await value(registry, "http_expectations_total")).toBe(1);
  });

  test("in OpenMetrics as well", async () => {
    const registry = new Registry<OpenMetricsContentType>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const undo = instrument(registry);
    undoes.push(undo);
    refused({ bytesSpared: 5 });
    expect(await value(registry, "http_expectation_spared_bytes_total")).toBe(5);
    undo();
    expect(await registry.metrics()).toBe("\n# EOF\n");
  });
});

describe("what instrument() returns", () => {
  test("ends the counting, and takes the metrics and nothing else out of the registry", async () => {
    const registry = new Registry();
    const own = new Counter({ name: "own_total", help: "the application's", registers: [registry] });
    const channels = [acceptChannel, refuseChannel, errorChannel, contentChannel];
    const undo = instrument(registry);
    expect(channels.map(({ hasSubscribers }) => hasSubscribers)).toEqual([true, true, true, true]);
    undo();
    expect(channels.map(({ hasSubscribers }) => hasSubscribers)).toEqual([false, false, false, false]);
    expect(registry.getMetricsAsArray()).toEqual([own]);
    undo();
    expect(registry.getMetricsAsArray()).toEqual([own]);
  });

  test("makes room for another instrument(), which it leaves alone", async () => {
    const registry = new Registry();
    const undo = instrument(registry);
    undo();
    undoes.push(instrument(registry));
    undo();
    accepted();
    expect(await value(registry, "http_expectations_total")).toBe(1);
  });
});

describe("refuses", () => {
  test("a registry that is instrumented already, and leaves it as it was", async () => {
    const registry = instrumented();
    expect(() => instrument(registry)).toThrow(
      expect.objectContaining({
        code: "ERR_EXPECT_OPTION",
        message: expect.stringMatching(
          /^instrument\(registry\): received a registry that has http_\w+ already; expected one that is not instrumented: call what the first instrument\(\) returned, or pass another registry$/,
        ),
      }),
    );
    accepted();
    expect(await value(registry, "http_expectations_total")).toBe(1);
  });

  test("a registry where somebody else has one of the names, and adds nothing to it", () => {
    const registry = new Registry();
    new Counter({ name: "http_expectation_spared_bytes_total", help: "another", registers: [registry] });
    expect(() => instrument(registry)).toThrow(/has http_expectation_spared_bytes_total already/);
    expect(registry.getMetricsAsArray()).toHaveLength(1);
    expect(acceptChannel.hasSubscribers).toBe(false);
  });

  test.each([
    ["nothing", undefined, "undefined"],
    ["null", null, "null"],
    ["an object", {}, "an object"],
    ["the module itself", client, "an object"],
    ["the class", Registry, "a function (Registry)"],
    ["a metric", new Counter({ name: "one_total", help: "one", registers: [] }), "an object"],
    ["a content type", "text/plain", '"text/plain"'],
  ])("%s in place of a registry", (_name, registry, received) => {
    expect(() => instrument(registry as never)).toThrow(
      expect.objectContaining({
        code: "ERR_EXPECT_OPTION",
        message: `instrument(registry): received ${received}; expected a registry of prom-client: its "register", or new Registry()`,
      }),
    );
  });

  test.each([
    ["buckets that are none", { decisionBuckets: "1" }, 'received "1"'],
    ["no buckets", { decisionBuckets: [] }, "received an array"],
    ["buckets that fall", { decisionBuckets: [1, 0.5] }, "received an array"],
    ["a bucket twice", { decisionBuckets: [1, 1] }, "received an array"],
    ["a bucket that is no number", { decisionBuckets: [1, "2"] }, "received an array"],
    ["a bucket at 0", { decisionBuckets: [0, 1] }, "received an array"],
    ["buckets that are left out", { decisionBuckets: new Array(2) }, "received an array"],
    ["an option that it does not know", { buckets: [1] }, 'unknown option "buckets"'],
    ["options that are none", null, "received null"],
  ])("%s", (_name, options, message) => {
    const registry = new Registry();
    expect(() => instrument(registry, options as never)).toThrow(
      expect.objectContaining({ code: "ERR_EXPECT_OPTION", message: expect.stringContaining(message) }),
    );
    expect(registry.getMetricsAsArray()).toEqual([]);
  });
});

test("takes other buckets, and leaves the list to its owner", async () => {
  const decisionBuckets = [0.5, 30];
  const registry = instrumented({ decisionBuckets });
  accepted({ durationMs: 20_000 });
  const buckets = await samples(registry, "http_expectation_decision_seconds_bucket");
  expect(buckets.filter(({ labels }) => labels.decision === "accepted")).toEqual([
    { labels: { decision: "accepted", le: "0.5" }, value: 0 },
    { labels: { decision: "accepted", le: "30" }, value: 1 },
    { labels: { decision: "accepted", le: "+Inf" }, value: 1 },
  ]);
  expect(Object.isFrozen(decisionBuckets)).toBe(false);
});

test("leaves no half of its metrics in a registry that throws", () => {
  const registry = new Registry();
  const registerMetric = registry.registerMetric.bind(registry);
  let left = 3;
  registry.registerMetric = (metric) => {
    if (left-- === 0) throw new Error("full");
    registerMetric(metric);
  };
  expect(() => instrument(registry)).toThrow("full");
  expect(registry.getMetricsAsArray()).toEqual([]);
  expect(acceptChannel.hasSubscribers).toBe(false);
});

test("ends the counting even where the registry throws, and warns", async () => {
  const registry = new Registry();
  const undo = instrument(registry);
  registry.removeSingleMetric = () => {
    throw new Error("locked");
  };
  const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => {});
  try {
    expect(undo).not.toThrow();
    expect(acceptChannel.hasSubscribers).toBe(false);
    expect(warn.mock.calls[0]).toEqual([
      expect.stringMatching(/^the registry did not remove http_\w+: Error: locked$/),
      "ExpectationsWarning",
    ]);
  } finally {
    warn.mockRestore();
  }
});

test("docs/metrics-and-tracing.md names exactly the metrics, each with its type, unit and labels", () => {
  const readme = readFileSync(join(__dirname, "../../../docs/metrics-and-tracing.md"), "utf8");
  const start = readme.indexOf("\n## Metrics\n");
  const section = readme.slice(start, readme.indexOf("\n## ", start + 1));
  const rows = [...section.matchAll(/^\| `(\w+)` +\| (\w+), ([^|]+?) +\| ([^|]*?) *\|/gm)];
  const written = rows.map(([, name = "", type, unit, labels = ""]) => ({
    name,
    type,
    unit,
    labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
  }));
  const metrics = instrumented().getMetricsAsArray() as unknown as {
    name: string;
    type: string;
    labelNames: string[];
  }[];
  expect(metrics.length).toBeGreaterThan(5);
  const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);
  expect(written.sort(byName)).toEqual(
    metrics.map(({ name, type, labelNames }) => ({ name, type, unit: unitOf(name), labels: labelNames })).sort(byName),
  );
});

/** The unit that a metric's name says: its last word, but for `total`. */
function unitOf(name: string): string | undefined {
  return name
    .replace(/_total$/, "")
    .split("_")
    .at(-1);
}
