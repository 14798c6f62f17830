import { describe, expect, test } from "@jest/globals";
import { Aggregate } from "../../../src/report/aggregate.js";
import type { Decision } from "../../../src/report/decision.js";
import { Durations } from "../../../src/report/durations.js";
import { networkOf } from "../../../src/report/networks.js";
import { QUESTIONS, type Summary } from "../../../src/report/summary.js";
import { Timeline } from "../../../src/report/timeline.js";
import { MOST_KEYS, TopKeys } from "../../../src/report/top-keys.js";
import fc from "../../helpers/properties.js";
import { REFUSAL } from "../../helpers/report-log.js";

const T = Date.UTC(2026, 10, 22, 8);

function summaryOf(decisions: Iterable<Decision>, top?: number): Summary {
  const aggregate = new Aggregate(top === undefined ? {} : { top });
  for (const decision of decisions) aggregate.add(decision);
  return aggregate.summary();
}

const keys = (summary: Summary, question: (typeof QUESTIONS)[number]) =>
  summary.by[question].rows.map(({ key, count }) => [key, count]);

describe("the aggregate", () => {
  test("is empty without decisions", () => {
    const nothing = { rows: [], others: 0 };
    expect(summaryOf([])).toEqual({
      schema: 2,
      refused: 0,
      errors: 0,
      accepted: 0,
      omitted: 0,
      bytesSpared: 0,
      bytesWithheld: 0,
      by: Object.fromEntries(QUESTIONS.map((question) => [question, nothing])),
      overTime: { stepMs: 1_000, buckets: [] },
      suspects: [],
    });
  });

  test("tells refusals, faults, acceptances and omissions apart", () => {
    const summary = summaryOf([
      { ...REFUSAL, time: T },
      { ...REFUSAL, time: T + 2_000, status: 401, policy: "authorize", bytesSpared: 5, durationMs: 8 },
      {
        ...REFUSAL,
        event: "expectation.error",
        time: T + 1_000,
        status: 500,
        policy: "quota",
        bytesSpared: 7,
        withheld: false,
      },
      { event: "expectation.accepted", time: T + 3_000, client: "192.0.2.9" },
      { event: "expectation.omitted", omitted: 40, time: T + 9_000 },
    ]);
    expect(summary).toMatchObject({
      from: "2026-11-22T08:00:00.000Z",
      to: "2026-11-22T08:00:03.000Z",
      refused: 2,
      errors: 1,
      accepted: 1,
      omitted: 40,
      bytesSpared: 2_097_152 + 12,
      bytesWithheld: 2_097_152 + 5,
      durationMs: { p50: expect.closeTo(0.25, 2), p99: 8, max: 8 },
      overTime: {
        stepMs: 1_000,
        buckets: [
          { at: "2026-11-22T08:00:00.000Z", refused: 1, errors: 0, accepted: 0, bytesSpared: 2_097_152 },
          { at: "2026-11-22T08:00:01.000Z", refused: 0, errors: 1, accepted: 0, bytesSpared: 7 },
          { at: "2026-11-22T08:00:02.000Z", refused: 1, errors: 0, accepted: 0, bytesSpared: 5 },
          { at: "2026-11-22T08:00:03.000Z", refused: 0, errors: 0, accepted: 1, bytesSpared: 0 },
        ],
      },
    });
    expect(summary.by.client).toEqual({
      rows: [
        {
          key: "192.0.2.1",
          count: 3,
          bytesSpared: 2_097_164,
          bytesWithheld: 2_097_157,
          lastAt: "2026-11-22T08:00:02.000Z",
        },
      ],
      others: 0,
    });
    expect(keys(summary, "status")).toEqual([
      ["413", 1],
      ["500", 1],
      ["401", 1],
    ]);
  });

  test("counts apart what was cut off after it had been accepted, by policy", () => {
    const summary = summaryOf([
      { ...REFUSAL },
      { ...REFUSAL, policy: "body-rate", cutOffAfter: 500 },
      { ...REFUSAL, event: "expectation.error", policy: "body-rate", cutOffAfter: 0 },
    ]);
    expect(keys(summary, "cutOff")).toEqual([["body-rate", 2]]);
  });

  test.each<[what: string, decision: Partial<Decision>, question: (typeof QUESTIONS)[number], key: string]>([
    ["a route that is missing", { route: undefined, url: "/a/b?token=" }, "route", "/a/b"],
    ["a route that is empty", { route: "", url: "/a" }, "route", "/a"],
    ["no route and no url", { route: undefined, url: undefined }, "route", "(none)"],
    ["an IPv4 client on IPv6", { client: "::ffff:192.0.2.7" }, "client", "192.0.2.7"],
    ["an IPv6 client", { client: "2001:db8::1" }, "client", "2001:db8::1"],
    ["no client", { client: undefined }, "client", "(none)"],
    ["no expectation", { expectation: undefined }, "expectation", "(none)"],
    ["another spelling", { expectation: "100-Continue" }, "expectation", "100-continue"],
    ["no status", { status: undefined }, "status", "(none)"],
    ["no User-Agent", { userAgent: undefined }, "software", "(no User-Agent)"],
    [
      "what would steer a terminal",
      { policy: "a\u001b[31m\u202eb\ud800" },
      "policy",
      String.raw`a\u001b[31m\u202eb\ud800`,
    ],
    ["a long value", { method: "M".repeat(300) }, "method", `${"M".repeat(120)}…`],
  ])("%s", (_what, decision, question, key) => {
    expect(keys(summaryOf([{ ...REFUSAL, ...decision }]), question)).toEqual([[key, 1]]);
  });

  test("shows as many rows as wanted, and how many refusals have no row", () => {
    const decisions = [..."aaabbcddddd"].map((policy) => ({ ...REFUSAL, policy }));
    const { rows, others } = summaryOf(decisions, 2).by.policy;
    expect(rows.map(({ key, count }) => [key, count])).toEqual([
      ["d", 5],
      ["a", 3],
    ]);
    expect(others).toBe(3);
  });

  test("gathers all versions of a suspect, most refused first, with what is known", () => {
    const decisions = ["curl/7.88.1", "okhttp/4.12", "curl/8.14", "curl/8.14", "HTTPie/3"].map((userAgent, i) => ({
      ...REFUSAL,
      userAgent,
      status: i === 2 ? 417 : 413,
      bytesSpared: 10,
    }));
    const { suspects } = summaryOf(decisions);
    expect(suspects.map(({ id, count, bytesSpared, statuses }) => ({ id, count, bytesSpared, statuses }))).toEqual([
      { id: "curl", count: 3, bytesSpared: 30, statuses: { 413: 2, 417: 1 } },
      { id: "okhttp", count: 1, bytesSpared: 10, statuses: { 413: 1 } },
    ]);
    expect(suspects[0]?.leaveOut.join()).toContain("curl -H 'Expect:'");
  });

  test.each([
    [413, true, false],
    [401, true, false],
    [415, true, false],
    [429, true, false],
    [417, false, true],
    [503, false, false],
  ])("advises what fits a %i", (status, saysKeep, saysLeaveOut) => {
    const [curl] = summaryOf([{ ...REFUSAL, status }]).suspects;
    expect(curl?.change.some((step) => step.startsWith(`Keep Expect for ${status}`))).toBe(saysKeep);
    expect(curl?.leaveOut.length).toBe(saysLeaveOut ? 2 : 0);
    expect(JSON.stringify(curl?.change)).not.toMatch(/leave the header out/i);
  });

  test("gathers addresses by network, and lists the most refused of each", () => {
    const clients = [
      "192.0.2.1",
      "192.0.2.1",
      "192.0.2.7",
      "::ffff:192.0.2.9",
      "2001:db8:0:1::1",
      "2001:db8::2",
      "10.0.0.1",
    ];
    const more = Array.from({ length: 6 }, (_, i) => `198.51.100.${i}`);
    const { network } = summaryOf([...clients, ...more, "unix:"].map((client) => ({ ...REFUSAL, client }))).by;
    expect(
      network.rows.map(({ key, count, addresses }) => [key, count, addresses?.rows.map((row) => row.key)]),
    ).toEqual([
      ["198.51.100.0/24", 6, ["198.51.100.0", "198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4"]],
      ["192.0.2.0/24", 4, ["192.0.2.1", "192.0.2.7", "192.0.2.9"]],
      ["2001:db8::/48", 2, ["2001:db8:0:1::1", "2001:db8::2"]],
      ["10.0.0.0/24", 1, ["10.0.0.1"]],
      ["unix:", 1, undefined],
    ]);
    expect(network.rows.map(({ addresses }) => addresses?.others)).toEqual([1, 0, 0, 0, undefined]);
  });

  test.each([
    ["192.0.2.77", "192.0.2.0/24"],
    ["2001:db8:12:34::1", "2001:db8:12::/48"],
    ["2001:0db8:0012:0000:0:0:0:1", "2001:db8:12::/48"],
    ["::1", "::/48"],
    ["fe80::1%eth0", "fe80::/48"],
    ["64:ff9b::192.0.2.1", "64:ff9b::/48"],
    ["(none)", "(none)"],
    ["client.example", "client.example"],
  ])("takes %s to be in %s", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  test("goes on after a summary, and hands out what stays as it is", () => {
    const aggregate = new Aggregate();
    aggregate.add({ ...REFUSAL, time: T });
    const before = aggregate.summary();
    const copy = structuredClone(before);
    aggregate.add({ ...REFUSAL, time: T });
    expect(before).toEqual(copy);
    expect(aggregate.summary().refused).toBe(2);
    expect(aggregate.summary().overTime.buckets[0]?.refused).toBe(2);
  });
});

describe("the most frequent keys", () => {
  test("are exact while there are no more keys than fit", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(40).map(String), fc.nat(1_000), fc.nat(9)), { maxLength: 300 }), (added) => {
        const top = new TopKeys();
        const exact = new Map<string, number>();
        for (const [key, bytes, time] of added) {
          top.add(key, bytes, 0, time);
          exact.set(key, (exact.get(key) ?? 0) + 1);
        }
        const { rows, others } = top.rows(1_000);
        expect(others).toBe(0);
        expect(Object.fromEntries(rows.map(({ key, count }) => [key, count]))).toEqual(Object.fromEntries(exact));
        expect(rows.reduce((sum, { bytesSpared }) => sum + bytesSpared, 0)).toBe(
          added.reduce((sum, [, bytes]) => sum + bytes, 0),
        );
        expect(rows.map(({ count }) => count)).toEqual([...exact.values()].sort((a, b) => b - a));
      }),
    );
  });

  test("survive a flood of others, in bounded memory, with counts that are never too high", () => {
    const top = new TopKeys();
    const total = 400_000;
    for (let i = 0; i < total; i++) {
      top.add(`once-${i}`, 1, 0, 1);
      if (i % 500 === 0) top.add("rare but steady", 1, 0, 1);
      if (i % 10 === 0) top.add("frequent", 1, 0, 1);
    }
    const { rows, others } = top.rows(2);
    expect(rows.map(({ key }) => key)).toEqual(["frequent", "rare but steady"]);
    expect(rows[0]?.count).toBe(total / 10);
    expect(rows[1]?.count).toBeLessThanOrEqual(total / 500);
    expect(rows[1]?.count).toBeGreaterThan(total / 500 - total / (MOST_KEYS / 2));
    expect(others).toBe(total + total / 10 + total / 500 - (rows[0]?.count ?? 0) - (rows[1]?.count ?? 0));
    expect(top.rows(Number.POSITIVE_INFINITY).rows.length).toBeLessThanOrEqual(MOST_KEYS);
  });

  test("come out whoever floods: keys that came many times do not keep a new one out", () => {
    const top = new TopKeys();
    for (let round = 0; round < 20; round++) for (let i = 0; i < MOST_KEYS; i++) top.add(`old-${i}`, 0, 0, 0);
    for (let i = 0; i < 200_000; i++) top.add("new", 0, 0, 0);
    expect(top.rows(1).rows).toEqual([{ key: "new", count: 200_000, bytesSpared: 0, bytesWithheld: 0 }]);
  });
});

describe("the time line", () => {
  test("keeps every count in at most 1,500 buckets without gaps, whatever the order", () => {
    const time = fc.oneof(
      fc.nat(100_000).map((offset) => T + offset),
      fc.nat(5_000_000_000).map((offset) => T + offset),
      fc.integer({ min: 1, max: 253_402_300_799_999 }),
    );
    fc.assert(
      fc.property(fc.array(time, { minLength: 1, maxLength: 60 }), fc.constantFrom(undefined, 120), (times, most) => {
        const timeline = new Timeline(most);
        for (const at of times) timeline.at(at).refused++;
        const { stepMs, buckets } = timeline.overTime();
        expect(buckets.length).toBeLessThanOrEqual(most ?? 1_500);
        const begins = buckets.map(({ at }) => Date.parse(at));
        begins.forEach((begin, i) => {
          expect(begin % stepMs).toBe(0);
          expect(begin).toBe((begins[0] as number) + i * stepMs);
          expect(buckets[i]?.refused).toBe(times.filter((at) => at >= begin && at < begin + stepMs).length);
        });
        expect(buckets.reduce((sum, { refused }) => sum + refused, 0)).toBe(times.length);
        expect(buckets[0]?.refused).toBeGreaterThan(0);
        expect(buckets.at(-1)?.refused).toBeGreaterThan(0);
      }),
    );
  });

  test("uses the shortest step that fits", () => {
    const spans = [119_000, 120_000, 3 * 3_600_000, 2 * 86_400_000, 29 * 86_400_000];
    const steps = spans.map((span) => {
      const timeline = new Timeline(120);
      timeline.at(T);
      timeline.at(T + span);
      return timeline.overTime().stepMs;
    });
    expect(steps).toEqual([1_000, 5_000, 300_000, 1_800_000, 21_600_000]);
  });
});

describe("durations", () => {
  test("have quantiles that are off by 2 percent at most", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 1 }), (all) => {
        const durations = new Durations();
        for (const duration of all) durations.add(duration);
        const sorted = all.toSorted((a, b) => a - b);
        const { p50, p99, max } = durations.summary() as NonNullable<Summary["durationMs"]>;
        const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] as number;
        expect(Math.abs(p50 / at(0.5) - 1)).toBeLessThan(0.02);
        expect(Math.abs(p99 / at(0.99) - 1)).toBeLessThan(0.02);
        expect(max).toBe(sorted.at(-1));
      }),
    );
  });

  test.each([0, 1e-9, 1e15])("takes %s", (duration) => {
    const durations = new Durations();
    durations.add(duration);
    expect(durations.summary()?.max).toBe(duration);
  });

  test("are absent where there were none", () => {
    expect(new Durations().summary()).toBeUndefined();
  });
});
