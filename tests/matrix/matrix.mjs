// npm run matrix -- [--seed N] [--strength 2] [--count N] [--only INDEX | --cell 'protocol=http, way=…'] [--repeat N] [--batch N]
//
// Runs the table of table.mjs: every way into a server, every reader, every writer, every outcome, so that every
// combination of `strength` values is in one cell at least. Another seed makes other cells of the same table. A cell
// that fails prints its coordinates, what was wrong, and what happened. `--plain` runs the same cells without this
// package and looks only for what hangs or stays: so much is Node's own.
import { fork } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { Random } from "../fuzz/random.mjs";
import { cover, isExcluded } from "./pairs.mjs";
import { DIMENSIONS, EXCLUSIONS } from "./table.mjs";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    strength: { type: "string", default: "3" },
    count: { type: "string", default: "Infinity" },
    batch: { type: "string", default: "32" },
    failures: { type: "string", default: "10" },
    repeat: { type: "string", default: "1" },
    only: { type: "string" },
    cell: { type: "string" },
    plain: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
});
/** Without a word from the child for so long, it hangs. */
const SILENCE_MS = 60_000;

function cellOf(text) {
  const named = Object.fromEntries(text.split(/, (?=\w+=)/).map((pair) => pair.split("=")));
  const [row] = cover(
    Object.fromEntries(Object.entries(DIMENSIONS).map(([name, all]) => [name, name in named ? [named[name]] : all])),
    EXCLUSIONS,
    1,
    new Random(Number(values.seed), 0),
  );
  if (!row || isExcluded(row, EXCLUSIONS)) throw new Error(`no such cell: ${text}`);
  return row;
}

function textOf(cell) {
  return Object.entries(cell)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
}

class Child {
  static async start() {
    const child = new Child();
    child.process = fork(new URL("child.mjs", import.meta.url));
    await once(child.process, "message");
    return child;
  }

  /** Runs cells at the same time; their results in order. What did not end has `undefined`. */
  async run(cells) {
    const results = cells.map(() => undefined);
    for (const [index, cell] of cells.entries()) this.process.send({ index, cell, isPlain: values.plain });
    await this.#hear((message) => {
      results[message.index] = message;
      return results.every((result) => result !== undefined);
    });
    return results;
  }

  /** What the process holds although nothing runs, and errors that nobody has caught. */
  async idle() {
    let faults = ["the process has ended"];
    this.process.send({ ask: "idle" }, () => {});
    await this.#hear((message) => {
      faults = message.idle;
      return true;
    });
    return faults;
  }

  #hear(isLast) {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.process.off("message", hear).off("exit", die);
        resolve();
      };
      const hear = (message) => {
        timer.refresh();
        if (isLast(message)) finish();
      };
      const die = () => {
        this.isDead = true;
        finish();
      };
      const timer = setTimeout(() => {
        this.process.kill("SIGKILL");
        die();
      }, SILENCE_MS);
      this.process.on("message", hear).on("exit", die);
      if (this.isDead || !this.process.connected) finish();
    });
  }

  stop() {
    if (this.process.connected) this.process.disconnect();
  }
}

let child = await Child.start();
const failures = [];

function fail(failure) {
  failures.push(failure);
  const { index, cell, faults, transcript } = failure;
  console.log(`\nFAILED cell ${index}${cell ? `\n  npm run matrix -- --cell '${textOf(cell)}'` : ""}`);
  for (const fault of faults) console.log(`  ${fault}`);
  for (const line of transcript) console.log(`    ${line}`);
}

let done = 0;

/** Runs cells together; where the process is worse off behind them, each alone. */
async function runBatch(cells) {
  const results = await child.run(cells.map(({ cell }) => cell));
  const faults = await child.idle();
  const isWhole = results.every((result) => result !== undefined);
  for (const [i, result] of results.entries()) {
    if (result?.faults.length > 0) fail({ ...cells[i], ...result });
  }
  if (faults.length === 0 && isWhole) return;
  await restart();
  if (cells.length === 1) {
    const hang = isWhole ? [] : ["the process ended or hung"];
    fail({ ...cells[0], transcript: [], ...results[0], faults: [...(results[0]?.faults ?? []), ...hang, ...faults] });
    return;
  }
  const before = failures.length;
  for (const cell of cells) if (!failures.some(({ index }) => index === cell.index)) await runBatch([cell]);
  if (failures.length > before) return;
  const transcript = cells.map(({ cell }) => textOf(cell));
  fail({ index: cells[0].index, cell: undefined, faults: ["together, not alone:", ...faults], transcript });
}

async function restart() {
  child.stop();
  child = await Child.start();
}

const { seed, strength } = values;
const rows = values.cell
  ? [cellOf(values.cell)]
  : cover(DIMENSIONS, EXCLUSIONS, Number(strength), new Random(Number(seed), 0));
let cells = rows.map((cell, index) => ({ cell, index }));
if (values.only !== undefined) cells = [cells[Number(values.only)]];
cells = cells.slice(0, Number(values.count));
cells = Array.from({ length: Number(values.repeat) }, () => cells).flat();
if (values.list) for (const { cell, index } of cells) console.log(`${index}: ${textOf(cell)}`);

const startedAt = performance.now();
const size = Number(values.batch);
for (let i = 0; i < cells.length && failures.length < Number(values.failures); i += size) {
  const batch = cells.slice(i, i + size);
  await runBatch(batch);
  done += batch.length;
}
child.stop();

const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
console.log(
  `\nmatrix: seed ${seed}, strength ${strength}, ${done} of ${cells.length} cells in ${seconds} s, Node ${process.versions.node}; ${failures.length} failures`,
);
process.exitCode = failures.length > 0 || done === 0 ? 1 : 0;
