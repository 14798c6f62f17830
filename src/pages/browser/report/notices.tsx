import type { Summary } from "../../../report/summary.js";
import { bytesText } from "../../bytes.js";
import { count, moment, momentWithZone, sameDay, seconds, spanText } from "./texts.js";

/** Says that nothing was refused. */
export function Nothing({ live }: { readonly live: boolean }) {
  return (
    <p class="card notice">
      <b>Nothing was refused.</b>
      {live ? " A refusal shows here as soon as there is one." : " There is no refusal in what was read."}
    </p>
  );
}

/** The time from the first decision to the last. */
export function Span({ from, to }: Pick<Summary, "from" | "to">) {
  if (from === undefined || to === undefined) return <>No decisions yet</>;
  const [first, last] = [new Date(from), new Date(to)];
  const zone = momentWithZone.formatToParts(last).find(({ type }) => type === "timeZoneName")?.value ?? "";
  return (
    <>
      <time dateTime={from}>{moment.format(first)}</time>
      {" to "}
      <time dateTime={to}>{(sameDay(first, last) ? seconds : moment).format(last)}</time>
      {` ${zone} (${spanText(last.getTime() - first.getTime())})`}
    </>
  );
}

/** What was read. */
export function Read({ read }: Pick<Summary, "read">) {
  if (read === undefined) return null;
  const faults = [
    ...(read.malformed > 0 ? [`${count(read.malformed, "line is", "lines are")} no JSON object`] : []),
    ...(read.foreign > 0 ? [`${count(read.foreign, "line is", "lines are")} of other software`] : []),
  ];
  return (
    <>
      {`Read ${count(read.lines, "line", "lines")}, ${bytesText(read.bytes)}. `}
      <span class={read.malformed > 0 ? "warn" : undefined}>{faults.length > 0 ? `${faults.join("; ")}.` : ""}</span>
    </>
  );
}
