import type { PlaceRow, SpaceRow, Summary } from "../../../report/summary.js";
import { bytesText } from "../../bytes.js";
import { Key } from "./key.js";
import { durationText, whole } from "./texts.js";

const PLACE_HEADS = [
  "Places of",
  "Limit",
  "In use",
  "Waiting",
  "Waited, median",
  "Waited, 99%",
  "Full",
  "Late",
  "Evicted",
  "Lost",
];
const SPACE_HEADS = ["Disk space at", "Free", "Still to come"];

/** What is in progress: places, waiting uploads and disk space. */
export function Present({ now }: { readonly now: Summary["now"] }) {
  if (now === undefined) return null;
  return (
    <section class="card present" aria-labelledby="present">
      <div class="head">
        <h2 id="present">In progress</h2>
      </div>
      <section class="scroll" tabindex={0} aria-label="In progress, as a table">
        <Table heads={PLACE_HEADS} rows={now.places.map(placeCells)} />
        <Table heads={SPACE_HEADS} rows={now.spaces.map(spaceCells)} />
      </section>
    </section>
  );
}

type Cells = readonly [key: string, ...cells: string[]];

function placeCells({ policy, limit, inUse, waiting, waitedMs, full, late, evicted, lost }: PlaceRow): Cells {
  const waited = waitedMs ? [durationText(waitedMs.p50), durationText(waitedMs.p99)] : ["", ""];
  const counts = (...numbers: number[]) => numbers.map((number) => whole.format(number));
  return [policy, ...counts(limit, inUse, waiting), ...waited, ...counts(full, late, evicted, lost)];
}

function spaceCells({ path, freeBytes, expectedBytes }: SpaceRow): Cells {
  return [path, freeBytes === undefined ? "no answer" : bytesText(freeBytes), bytesText(expectedBytes)];
}

function Table({ heads, rows }: { readonly heads: readonly string[]; readonly rows: readonly Cells[] }) {
  if (rows.length === 0) return null;
  return (
    <table>
      <thead>
        <tr>
          {heads.map((head, i) => (
            <th key={head} scope="col" class={i > 0 ? "number" : undefined}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([key, ...cells]) => (
          <tr key={key}>
            <th scope="row">
              <Key text={key} />
            </th>
            {cells.map((cell, i) => (
              <td key={heads[i + 1]} class="number">
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
