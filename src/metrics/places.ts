import { Counter, Gauge, Histogram } from "prom-client";
import { type PlaceChange, type PlaceMessage, type Places, placeChannel } from "../support/places.js";
import { type MetricSet, policyLabels, UNREGISTERED } from "./metric-set.js";

const WAITED_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** How a wait for a place ended. */
const ENDS = ["taken", "left", "late", "evicted"] as const satisfies readonly PlaceChange[];
/** Why an upload got no place, or lost it. */
const REASONS = ["full", "late", "evicted", "lost"] as const satisfies readonly PlaceChange[];

const isOneOf = (changes: readonly PlaceChange[], change: PlaceChange): boolean => changes.includes(change);

/** Makes the metrics about places of `concurrency` policies, and about uploads that wait for one. */
export function placeMetrics(): MetricSet {
  const waitedSeconds = new Histogram({
    ...UNREGISTERED,
    name: "http_expectation_waited_seconds",
    help: "How long uploads waited for a place, by how the wait ended",
    labelNames: ["policy", "end"],
    buckets: [...WAITED_BUCKETS],
  });
  const refusals = new Counter({
    ...UNREGISTERED,
    name: "http_expectation_place_refusals_total",
    help: "Uploads that got no place or lost it, by why",
    labelNames: ["policy", "reason"],
  });
  const levels = new Levels();

  function begin(policy: string): void {
    // Series start at 0: rate() and increase() do not count a series that appears with its first refusal.
    for (const reason of REASONS) refusals.inc({ policy, reason }, 0);
    for (const end of ENDS) waitedSeconds.zero({ policy, end });
  }

  return {
    metrics: {
      http_expectation_waited_seconds: waitedSeconds,
      http_expectation_place_refusals_total: refusals,
      http_expectation_waiting_uploads: new Gauge({
        ...UNREGISTERED,
        name: "http_expectation_waiting_uploads",
        help: "Uploads that wait for a place",
        labelNames: ["policy"],
        collect() {
          for (const [policy, { waiting }] of levels.byPolicy()) this.set({ policy }, waiting);
        },
      }),
      http_expectation_used_places: new Gauge({
        ...UNREGISTERED,
        name: "http_expectation_used_places",
        help: "Places that uploads have taken, of all keys together",
        labelNames: ["policy"],
        collect() {
          for (const [policy, { inUse }] of levels.byPolicy()) this.set({ policy }, inUse);
        },
      }),
    },
    listeners: [
      [
        placeChannel,
        (message) => {
          const { change, waitedMs, places } = message as PlaceMessage;
          const policy = levels.note(places, begin);
          if (isOneOf(REASONS, change)) refusals.inc({ policy, reason: change });
          // An upload that got its place at once has not waited.
          if (waitedMs > 0 && isOneOf(ENDS, change)) waitedSeconds.observe({ policy, end: change }, waitedMs / 1000);
        },
      ],
    ],
  };
}

/** How many places are taken, and how many uploads wait, by policy. */
class Levels {
  readonly #label = policyLabels();
  readonly #policies = new Set<string>();
  readonly #busy = new Set<Places>();

  /**
   * Takes note of a policy's places.
   *
   * @param onNew - called with a policy's label before the first note of it.
   * @returns the label of the policy.
   */
  note(places: Places, onNew: (policy: string) => void): string {
    const policy = this.#label(places.name);
    if (!this.#policies.has(policy)) {
      this.#policies.add(policy);
      onNew(policy);
    }
    // A policy that nobody uses any more must not stay in memory.
    if (places.inUse > 0 || places.waiting > 0) this.#busy.add(places);
    else this.#busy.delete(places);
    return policy;
  }

  /** Sums by label; 0 for a policy that is not busy. */
  byPolicy(): Map<string, { inUse: number; waiting: number }> {
    const sums = new Map([...this.#policies].map((policy) => [policy, { inUse: 0, waiting: 0 }]));
    for (const { name, inUse, waiting } of this.#busy) {
      const sum = sums.get(this.#label(name));
      if (!sum) continue;
      sum.inUse += inUse;
      sum.waiting += waiting;
    }
    return sums;
  }
}
