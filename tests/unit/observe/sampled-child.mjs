// A flood of records and then nothing more to do, run by tests/unit/observe/sampled.test.ts in a process of its own. Prints how
// many records were written, and how long the process lived on behind the flood.
import { sampled } from "./src/observe/sampled.js";

let written = 0;
const count = () => {
  written++;
};
const logger = sampled({ warn: count, error: count }, { perSecond: 5 });
for (let i = 0; i < 1_000; i++) {
  logger.warn({ i }, "warn");
  logger.error({ i }, "error");
}
const floodedAt = performance.now();
process.on("exit", () => console.log(JSON.stringify({ written, livedOnMs: performance.now() - floodedAt })));
