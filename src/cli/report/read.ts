import { Aggregate } from "../../report/aggregate.js";
import type { Decision } from "../../report/decision.js";
import { unwrapped } from "../../report/envelopes/unwrap.js";
import { LogReader } from "../../report/log/log-reader.js";
import type { Summary } from "../../report/summary.js";
import { FileError } from "../files.js";
import type { Input } from "./input.js";
import type { ReportOptions } from "./options.js";

/** A summary of logs. It includes what was read. */
export type ReadSummary = Summary & Required<Pick<Summary, "read">>;

/**
 * Reads logs one after another.
 *
 * @param onStored - receives the number of bytes read, before unpacking.
 * @returns the summary of everything that could be read, and the first failure. A failure does not stop the other logs.
 */
export async function readLogs(
  inputs: readonly Input[],
  { since, until, top }: Pick<ReportOptions, "since" | "until" | "top">,
  onStored: (bytes: number) => void,
): Promise<{ summary: ReadSummary; failure: FileError | undefined }> {
  const aggregate = new Aggregate({ top });
  const read = { bytes: 0, lines: 0, malformed: 0, foreign: 0, outside: 0, untimed: 0 };
  let firstMalformed: string | undefined;
  let failure: FileError | undefined;
  const onDecision = (decision: Decision) => {
    if (isWithin(decision.time, since, until)) aggregate.add(decision);
    else {
      read.outside++;
      if (decision.time === undefined) read.untimed++;
    }
  };
  for (const input of inputs) {
    const log = new LogReader(onDecision);
    try {
      for await (const chunk of unwrapped(counted(input.chunks(onStored), read))) log.write(chunk);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      failure ??= error;
    }
    log.end();
    for (const what of ["lines", "malformed", "foreign"] as const) read[what] += log.counts[what];
    if (log.counts.firstMalformed !== undefined) firstMalformed ??= `${input.name}:${log.counts.firstMalformed}`;
  }
  const summary = { ...aggregate.summary(), read: firstMalformed === undefined ? read : { ...read, firstMalformed } };
  return { summary, failure };
}

async function* counted(chunks: AsyncIterable<Buffer>, read: { bytes: number }): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    read.bytes += chunk.length;
    yield chunk;
  }
}

function isWithin(time: number | undefined, since: number | undefined, until: number | undefined): boolean {
  if (since === undefined && until === undefined) return true;
  return time !== undefined && time >= (since ?? 0) && time < (until ?? Number.POSITIVE_INFINITY);
}
