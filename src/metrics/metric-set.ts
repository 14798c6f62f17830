import type { Channel } from "node:diagnostics_channel";
import type { Metric } from "prom-client";

/** Metrics about one subject, and what counts in them. */
export interface MetricSet {
  /** By their names: prom-client changes the `name` of counters when it writes OpenMetrics. */
  readonly metrics: Readonly<Record<string, Metric>>;
  /** Each channel with the listener that counts its messages. */
  readonly listeners: readonly (readonly [Channel, (message: unknown) => void])[];
}

/** For each metric: `instrument` registers all or none, but prom-client would register each as it is made. */
export const UNREGISTERED: { registers: [] } = { registers: [] };

/** Each policy name makes a series of its own, and an application may go on making new names. */
const MAX_POLICIES = 100;

/** Returns a function that returns the first 100 different names as they are, and `"other"` for the rest. */
export function policyLabels(): (name: string) => string {
  const known = new Set<string>();
  return (name) => {
    if (known.has(name)) return name;
    if (known.size >= MAX_POLICIES) return "other";
    known.add(name);
    return name;
  };
}
