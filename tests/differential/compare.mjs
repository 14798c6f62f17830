// Compares what three servers did with the same bytes, and checks what none of them may do.
import { readRequests } from "./reading.mjs";
import { SERVERS } from "./routes.mjs";

/**
 * What a server did, request by request.
 *
 * @returns `{ requests, steps }`: the strict reading of the bytes, and for each final status
 *   `{ answer, fate, interim, content }`. The last step has no status: its fate is that of the connection.
 */
function stepsOf({ finals, responses: all, inTime, log, sent, end, sentinel, answered, error, fault }) {
  const requests = readRequests(sent);
  const responses = all.slice(0, inTime);
  const ran = new Set(log.filter(({ event }) => event === "begin").map(({ id }) => id));
  const contents = new Map(log.filter(({ event }) => event === "read").map((entry) => [entry.id, entry]));
  // A target may have no number any more: then the first that ran is the first of these.
  const withoutNumber = log.filter(({ event, id }) => event === "begin" && id === "").length;
  const ranAt = (request) =>
    request.id !== "" ? ran.has(request.id) : requests.filter(({ id }) => id === "").indexOf(request) < withoutNumber;
  const has = (request) => (request?.hasHead && ranAt(request) ? ", ran" : "");
  const steps = finals.slice(0, answered).map((final, i) => {
    const before = responses.slice(responses.indexOf(finals[i - 1]) + 1, responses.indexOf(final));
    const id = final.headers.get("x-executed");
    const content = contents.get(id);
    return {
      answer: id === undefined ? `${final.status} itself${has(requests[i])}` : `route ${final.status}`,
      fate: final.closes ? "closes" : "keeps",
      interim: before.filter(({ status }) => status === 100).length === 0 ? "no 100" : "100",
      content: content ? `${content.length} ${content.hash}` : "",
    };
  });
  const unanswered = responses
    .slice(responses.indexOf(finals[answered - 1]) + 1)
    .filter(({ status }) => status === 100);
  const kept = sentinel ? "in step" : "waits for more";
  const gone = error === "ECONNRESET" || error === "EPIPE" ? "reset" : "closed";
  steps.push({
    answer: `${gone === "reset" && end !== "kept" ? "reset" : "nothing"}${has(requests[answered])}`,
    fate: fault ? `${gone} within a response` : end === "kept" ? kept : gone,
    interim: unanswered.length > 0 ? "100" : "no 100",
    content: "",
  });
  return { requests, steps, bytes: sent.length };
}

const DIMENSIONS = ["answer", "fate", "interim", "content"];

/**
 * The first request that the servers answer differently, and how; nothing behind it can be compared.
 *
 * @returns differences as `{ dimension, position, request, traits, next, previous, values }`, `values` by server.
 */
export function differences(seen) {
  const all = SERVERS.map((name) => stepsOf(seen[name]));
  const found = [];
  for (let position = 0; ; position++) {
    const steps = all.map(({ steps }) => steps[position]);
    // One that has closed early has got fewer of the bytes.
    const { requests } = all.reduce((most, one) => (one.bytes > most.bytes ? one : most));
    const request = requests[position];
    const traits = request ? [...request.traits] : ["behind", ...(requests.at(-1)?.traits ?? [])];
    let isOver = false;
    for (const dimension of DIMENSIONS) {
      const values = Object.fromEntries(SERVERS.map((name, i) => [name, steps[i][dimension]]));
      if (new Set(Object.values(values)).size === 1) continue;
      const next = [...(requests[position + 1]?.traits ?? [])];
      const previous = [...(requests[position - 1]?.traits ?? [])];
      found.push({ dimension, position, request, traits, next, previous, values });
      if (dimension !== "interim") isOver = true;
      if (dimension === "answer") break;
    }
    if (isOver || all.some(({ steps }) => position >= steps.length - 1)) return found;
    if (steps[0].fate === "closes") return found;
  }
}

/**
 * What a server did that none may do.
 *
 * @returns `{ invariant, traits, anywhere }` each; `anywhere` are the traits of all requests.
 */
export function violations(
  { log, all, sent, hidden, end, sentinel, responses, finals, fault, isTruncated, hang, error },
  isUnsettled,
) {
  const found = [];
  const requests = readRequests(all);
  const last = requests.at(-1);
  const anywhere = [...new Set(requests.flatMap(({ traits }) => [...traits]))];
  const add = (invariant, request = last) => found.push({ invariant, traits: [...(request?.traits ?? [])], anywhere });
  const begun = log.filter(({ event }) => event === "begin");
  const seen = new Set();
  for (const { id } of begun) {
    // A target may have lost its number to a mutation.
    if (id === "") continue;
    if (seen.has(id)) add("a request ran twice");
    seen.add(id);
    if (hidden.includes(id)) add("a request ran from the content of a repeated upload");
    if (requests.some((request) => request.id === id)) continue;
    const at = all.indexOf(id);
    if (last.isUnsound) add("a request ran behind unsound framing");
    else if (last.isLast && last.isComplete && at >= last.end) add("a request ran behind one that closes");
    else add("a request ran from content");
  }
  for (const [i, entry] of log.entries()) {
    if (entry.event !== "answered") continue;
    const final = finals.find(({ headers }) => headers.get("x-executed") === entry.id);
    if (final?.closes && log.slice(i).some(({ event }) => event === "begin"))
      add("a request ran behind a closing final");
  }
  // A verdict that is pending holds back what comes behind it: its answer would be lost.
  const refusal = finals.find(({ status, closes }) => closes && (status === 403 || status === 413));
  const refused = requests.findIndex(({ id }) => id !== "" && id === refusal?.headers.get("x-executed"));
  if (refused >= 0 && requests.slice(refused + 1).some(({ id }) => id !== "" && seen.has(id))) {
    add("a request ran behind a refusal");
  }
  let before = 0;
  let position = 0;
  for (const [i, { status }] of responses.entries()) {
    if (status >= 200) {
      position++;
      before = 0;
    }
    if (status !== 100) continue;
    const answered = responses
      .slice(i)
      .find(({ status }) => status >= 200)
      ?.headers.get("x-executed");
    const request = requests.find(({ id }) => id !== "" && id === answered) ?? requests[position];
    if (++before > 1) add("two 100s", request);
    if (!request && !last?.isUnsound) add("a 100 behind the last final");
    if (request?.version === "1.0") add("a 100 to HTTP/1.0", request);
    if (request && !request.isUnsound && !request.expectsContinue && request.hasHead) {
      add("a 100 that nobody asked for", request);
    }
  }
  const kept = readRequests(sent).at(-1);
  if (end === "kept" && !sentinel && !isUnsettled && kept?.isComplete && !kept.isUnsound && hidden.length === 0) {
    add("a kept connection is out of step");
  }
  const closing = finals.findIndex(({ closes }) => closes);
  if (closing >= 0 && closing < finals.length - 1) add("a response behind a closing final");
  if (hang) add(`hang: ${hang}`);
  if (fault && !(isTruncated && (isUnsettled || error === "ECONNRESET")))
    add(`no HTTP: ${fault.replace(/\d+|"[\s\S]*"/g, "…")}`);
  return found;
}
