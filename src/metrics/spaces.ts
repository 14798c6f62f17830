import { Gauge } from "prom-client";
import { spaces } from "../support/spaces.js";
import { type MetricSet, UNREGISTERED } from "./metric-set.js";

/** Makes the metrics about the disk space that `diskSpace` policies look at. */
export function spaceMetrics(): MetricSet {
  return {
    metrics: {
      http_expectation_disk_free_bytes: new Gauge({
        ...UNREGISTERED,
        name: "http_expectation_disk_free_bytes",
        help: "Bytes that are free on the file system of a path; missing while it does not answer",
        // For AggregatorRegistry: workers of a cluster look at the same file system. Their sum would be too much.
        aggregator: "min",
        labelNames: ["path"],
        async collect() {
          const watched = [...spaces().values()];
          await Promise.all(watched.map((space) => space.update()));
          this.reset();
          for (const { path, free } of watched) if (free !== undefined) this.set({ path }, free);
        },
      }),
      http_expectation_disk_expected_bytes: new Gauge({
        ...UNREGISTERED,
        name: "http_expectation_disk_expected_bytes",
        help: "Bytes that accepted uploads have announced and not brought yet",
        labelNames: ["path"],
        collect() {
          for (const { path, expected } of spaces().values()) this.set({ path }, expected);
        },
      }),
    },
    listeners: [],
  };
}
