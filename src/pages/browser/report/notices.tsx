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

/** Says that some times are far from the others. They would stretch the chart. */
export function OddTimes({ oddTimes }: Pick<Summary, "oddTimes">) {
  if (oddTimes === undefined) return null;
  const { count: records, from, to } = oddTimes;
  const what = count(records, "decision is", "decisions are");
  const span = from === to ? shortDate(from) : `${shortDate(from)} to ${shortDate(to)}`;
  return <p class="odd">{`${what} from ${span}, far from all others, and not in the chart: a clock may be wrong.`}</p>;
}

function shortDate(at: string): string {
  return moment.format(new Date(at));
}

/** What was read. */
export function Read({ read }: Pick<Summary, "read">) {
  if (read === undefined) return null;
  const { outside = 0, untimed = 0, filtered = 0 } = read;
  const faults = [
    ...(read.malformed > 0 ? [`${count(read.malformed, "line is", "lines are")} no JSON object`] : []),
    ...(read.foreign > 0 ? [`${count(read.foreign, "line is", "lines are")} of other software`] : []),
    ...(outside > untimed
      ? [`${count(outside - untimed, "record is", "records are")} outside the requested time`]
      : []),
    ...(untimed > 0 ? [`${count(untimed, "record has", "records have")} no time, and so no place here`] : []),
    ...(filtered > 0 ? [`${count(filtered, "record was", "records were")} left out by --where`] : []),
  ];
  return (
    <>
      {`Read ${count(read.lines, "line", "lines")}, ${bytesText(read.bytes)}. `}
      <span class={read.malformed > 0 ? "warn" : undefined}>{faults.length > 0 ? `${faults.join("; ")}.` : ""}</span>
    </>
  );
}
