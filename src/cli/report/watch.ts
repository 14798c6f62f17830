import { setTimeout } from "node:timers/promises";
import type { Terminal } from "../command.js";
import type { Input } from "./input.js";
import type { Output } from "./output.js";
import type { Reading } from "./reading.js";

const REDRAW_MS = 1_000;

/** Reads logs side by side as they grow, and shows the result when it changes, until the user interrupts. */
export async function watch(
  reading: Reading,
  inputs: readonly Input[],
  output: Output,
  terminal: Terminal,
): Promise<void> {
  const over = new AbortController();
  const end = () => over.abort();
  terminal.once?.("SIGINT", end);
  terminal.once?.("SIGTERM", end);
  const drawing = redraw(reading, output, over.signal).finally(end);
  // It is awaited below.
  drawing.catch(() => {});
  try {
    const logs = inputs.map(async ({ name, chunks }) => {
      const isWanted = await reading.read(
        name,
        chunks(() => {}, over.signal),
      );
      if (!isWanted) end();
    });
    await Promise.all(logs);
  } finally {
    end();
    terminal.off?.("SIGINT", end);
    terminal.off?.("SIGTERM", end);
    // A pipe that nobody reads would keep the process alive.
    terminal.stdin.destroy();
  }
  await drawing;
}

async function redraw(reading: Reading, output: Output, over: AbortSignal): Promise<void> {
  let drawn = 0;
  while (!over.aborted) {
    await setTimeout(REDRAW_MS, undefined, { signal: over }).catch(() => {});
    if (over.aborted || reading.bytes === drawn) continue;
    drawn = reading.bytes;
    await output.update(reading.summary());
  }
}
