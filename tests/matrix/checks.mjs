import { patiently } from "../helpers/patience.mjs";
import { clientOf, DEADLINE_MS } from "./clients.mjs";
import { contentOf, LIMIT } from "./content.mjs";
import { STATUS } from "./writers.mjs";

/** Writers whose head is not out yet when they return. */
const LATE_WRITERS = ["deferred end", "end once", "stream.pipe(res)"];

/** Waits until nothing of a cell is left in its server, and says what is. */
export async function whatStays({ server, observed, placesTaken, listenersLeft }) {
  const count = () => new Promise((resolve) => server.getConnections((_error, number) => resolve(number)));
  let connections = 0;
  const left = () => [
    ...[...observed.open].map(({ name }) => `no close of the ${name}`),
    ...[...observed.connections].map(({ name }) => `the ${name} stays`),
    ...(connections > 0 ? [`${connections} connections stay`] : []),
    ...observed.closes.filter(({ length }) => length === 0).map(() => "onClose was not called"),
    ...(observed.reader === "reading" ? ["the reader hangs"] : []),
    ...(placesTaken() > 0 ? [`${placesTaken()} places are taken`] : []),
    ...listenersLeft().map((name) => `listeners of the server: ${name}`),
  ];
  await patiently(async () => {
    connections = await count();
    return left().length === 0;
  }, DEADLINE_MS);
  return left();
}

/** What is wrong with the outcome of a cell. */
export function faultsOf(cell, seen, observed) {
  return [...seen.faults, ...wireFaults(cell, seen), ...serverFaults(cell, seen, observed)];
}

function wireFaults(cell, { responses, isTruncated, next }) {
  const faults = [];
  const { expects, version, waits } = clientOf(cell);
  const statuses = responses.map(({ status }) => status);
  const interim = statuses.filter((status) => status < 200);
  const finals = responses.filter(({ status }) => status >= 200);
  const [final, behind] = finals;
  const right = expected(cell);
  if (interim.length > 1) faults.push("two interim responses");
  if (interim.length > 0 && final && statuses[0] >= 200) faults.push("an interim response behind a final one");
  if (interim.length > 0 && (!expects || version === "1.0")) faults.push("a 100 that nobody asked for");
  if (!final && !right.mayBeCut) faults.push(`no final status; expected ${right.statuses}`);
  if (final && !right.statuses.includes(final.status)) faults.push(`${final.status}; expected ${right.statuses}`);
  if (isTruncated && !right.mayBeCut) faults.push("half a response");
  if (right.continues !== undefined && waits && interim.length !== right.continues) {
    faults.push(`${interim.length} interim responses; expected ${right.continues}`);
  }
  if (final?.closes && behind) faults.push("a response behind one that closes");
  // Node refuses the rest of a request that its client has left.
  const isOfRest = behind?.status === 400 && cell.outcome === "left by FIN";
  const ofNext = next ?? behind?.status ?? 200;
  if (ofNext !== 200 && !isOfRest) faults.push(`the next request got ${ofNext}`);
  if (finals.length > 2) faults.push("more final statuses than requests");
  return faults.map((fault) => (statuses.length > 0 ? `${fault} (${statuses})` : fault));
}

/**
 * What is right for a cell: final statuses, whether the response may be missing or not whole, and how many 100s a client
 * gets that waits (`undefined`: either).
 */
function expected(cell) {
  const { outcome, reader, when, writer, way, verdict } = cell;
  const { waits } = clientOf(cell);
  const isRead = reader !== "nobody" && reader !== "resume";
  const isFirst = when === "before";
  // Node itself sends the 100 where no server has been attached.
  const isPlainFront = way === "nested behind plain";
  const continued = isPlainFront ? undefined : 1;
  const silent = isPlainFront ? undefined : 0;
  const owed = isFirst ? (isRead ? continued : silent) : undefined;
  if (outcome.startsWith("left")) return { statuses: [STATUS, 400, 403, 408], mayBeCut: true };
  // A head on its way leaves the client without a reason to send what it holds.
  const isStalled = waits && when === "behind head";
  if (outcome === "accepted") return { statuses: [STATUS], mayBeCut: isStalled, continues: owed };
  if (outcome === "refused") return { statuses: [403], continues: silent };
  // light-my-request gives a response away a little later, and an error of the request instead.
  const isLate = LATE_WRITERS.includes(writer);
  const mayBeCut = way === "injected" || isLate || when === "during" || when === "behind head";
  if (isFirst && (isRead || (reader === "resume" && !waits))) {
    return { statuses: [413], mayBeCut: way === "injected", continues: owed };
  }
  if (isFirst && waits && !isPlainFront) return { statuses: [STATUS], continues: silent };
  // Content that comes during the verdict, or with the head on HTTP/2, passes the limit before the application runs.
  const isThere = verdict === "later" || cell.protocol.startsWith("h2");
  const mayBeEarly = isThere || isFirst || when === "during" || isLate || isPlainFront;
  return { statuses: mayBeEarly ? [STATUS, 413] : [STATUS], mayBeCut };
}

function serverFaults(cell, { responses, isTruncated }, observed) {
  const { outcome, reader, when } = cell;
  const faults = [];
  const content = contentOf(cell);
  if (observed.smuggled > 0) faults.push("a request ran that lies within the content");
  if (observed.policies === 0 && !outcome.startsWith("left")) faults.push("no guard ran");
  for (const { length } of observed.closes) if (length > 1) faults.push(`onClose was called ${length} times`);
  const runs = outcome === "refused" ? 0 : 1;
  if (observed.runs > runs) faults.push(`the application ran ${observed.runs} times; expected ${runs}`);
  if (observed.runs < runs && !outcome.startsWith("left")) {
    if (!responses.some(({ status }) => status === 413)) faults.push("the application did not run");
  }
  // Who reads before the guard has decided gets what comes until then.
  const isReadEarly = cell.way === "stream listener" && cell.verdict === "later";
  if (outcome === "cut off" && observed.bytes > LIMIT && !isReadEarly) {
    faults.push(`${observed.bytes} bytes passed a limit of ${LIMIT}`);
  }
  if (outcome === "refused" && observed.bytes > 0 && !isReadEarly) {
    faults.push(`${observed.bytes} bytes of refused content were read`);
  }
  const isRead = when === "before" && reader !== "nobody" && reader !== "resume";
  const isWhole = outcome === "accepted" && isRead && !isTruncated;
  if (isWhole && observed.bytes !== content.length)
    faults.push(`${observed.bytes} bytes were read of ${content.length}`);
  if (isWhole && observed.reader !== "end") faults.push(`the reader ended with ${observed.reader}`);
  for (const end of observed.closes.flat()) faults.push(...endFaults(cell, responses, isWhole, end));
  return faults;
}

// What `onClose` is told must be what has happened.
function endFaults(cell, responses, isReadWhole, end) {
  const faults = [];
  const { outcome } = cell;
  const final = responses.find(({ status }) => status >= 200);
  const isLeft = outcome.startsWith("left");
  if (typeof end.isWhole !== "boolean") faults.push(`onClose: isWhole is ${end.isWhole}`);
  // Node's client ends a stream that it resets. Without a length, that is the end of the content.
  const isEnded = cell.outcome === "left by RST_STREAM" && clientOf(cell).isChunked;
  if (isLeft && end.isWhole && !isEnded) faults.push("onClose: whole, and the client left in the middle");
  if (isReadWhole && !end.isWhole) faults.push("onClose: not whole, and all was read");
  // A response without a length is whole for HTTP/1.0, even when it was cut.
  const isWhole = final?.isComplete && (outcome !== "cut off" || final.status === 413);
  if (isWhole && !isLeft && end.status !== final.status) {
    faults.push(`onClose: status ${end.status}, and the client got ${final.status}`);
  }
  if (outcome === "refused" && !end.isRefused) faults.push("onClose: not refused");
  // Behind its response the server may still refuse content that never comes.
  if (isReadWhole && end.isRefused) faults.push("onClose: refused");
  return faults;
}
