// Makes a failing case smaller, without taking away what its check rests on.

const BEARING = /^(?:host|content-length|transfer-encoding|expect|connection|upgrade)[ \t]*:/i;
const LONGEST = 2_000;

/** Smaller variants of a case, the boldest first. */
export function* reductions(oneCase) {
  if (oneCase.flavour === "clean" && oneCase.delivery !== "early rst" && oneCase.delivery !== "early fin") {
    yield* fewerRequests(oneCase);
    return;
  }
  yield* simplerSteps(oneCase);
  if (oneCase.flavour === "mutated" || oneCase.flavour === "garbage") yield* fewerBytes(oneCase);
  else yield* fewerLines(oneCase);
}

function* fewerRequests(oneCase) {
  const { requests } = oneCase;
  for (let i = requests.length - 1; requests.length > 1 && i >= 0; i--) {
    yield delivered(
      oneCase,
      requests.filter((_, j) => j !== i),
      oneCase.delivery,
    );
  }
  if (oneCase.delivery === "split") yield delivered(oneCase, requests, "once");
  for (const [i, request] of requests.entries()) {
    for (const head of withoutEachLine(request.head)) {
      yield delivered(oneCase, requests.with?.(i, { ...request, head }) ?? requests, oneCase.delivery);
    }
  }
}

function delivered(oneCase, requests, delivery) {
  if (delivery !== "waiting") {
    return {
      ...oneCase,
      requests,
      delivery: "once",
      steps: [{ send: requests.map(({ head, content }) => head + content).join("") }],
    };
  }
  const steps = requests.flatMap(({ head, content, expect, version, length }, i) => [
    { send: head },
    ...(expect.isContinue && version === "1.1" && length !== 0 ? [{ awaitInterim: i }] : []),
    ...(content === "" ? [] : [{ send: content, unlessRefused: i }]),
    { awaitFinal: i },
  ]);
  return { ...oneCase, requests, delivery, steps };
}

function* simplerSteps(oneCase) {
  const { steps } = oneCase;
  const joined = [];
  for (const step of steps) {
    if (step.pauseMs !== undefined) continue;
    if (step.send !== undefined && joined.at(-1)?.send !== undefined)
      joined[joined.length - 1] = { send: joined.at(-1).send + step.send };
    else joined.push(step);
  }
  if (joined.length < steps.length) yield { ...oneCase, steps: joined };
  for (const [i, step] of steps.entries()) {
    if (step.send === undefined && step.awaitFinal === undefined)
      yield { ...oneCase, steps: steps.filter((_, j) => j !== i) };
  }
}

function* fewerBytes(oneCase) {
  for (const [i, { send }] of oneCase.steps.entries()) {
    if (send === undefined) continue;
    for (let size = Math.ceil(send.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = 0; at < send.length; at += size) {
        const steps = [...oneCase.steps];
        steps[i] = { send: send.slice(0, at) + send.slice(at + size) };
        yield { ...oneCase, steps };
      }
    }
  }
}

function* fewerLines(oneCase) {
  for (const [i, { send }] of oneCase.steps.entries()) {
    if (!send?.includes("\r\n\r\n")) continue;
    for (const head of withoutEachLine(send)) {
      const steps = [...oneCase.steps];
      steps[i] = { send: head };
      yield { ...oneCase, steps };
    }
  }
}

function* withoutEachLine(text) {
  const headEnd = text.indexOf("\r\n\r\n");
  const lines = text.slice(0, headEnd).split("\r\n");
  for (const [i, line] of lines.entries()) {
    if (i > 0 && !BEARING.test(line)) yield lines.filter((_, j) => j !== i).join("\r\n") + text.slice(headEnd);
  }
}

/** A case as JavaScript: what to send, byte for byte (latin1), and what to wait for in between. */
export function reproduction({ kind, steps }) {
  const written = steps.map((step) => (step.send === undefined ? JSON.stringify(step) : literal(step.send)));
  return `server: ${kind}\n${written.length === 1 ? written[0] : `[\n  ${written.join(",\n  ")},\n]`}`;
}

// What repeats is written as such, and what is still long then is cut: seed and index make it again.
function literal(text) {
  let written = "";
  let at = 0;
  for (const run of text.matchAll(/([\s\S]{1,40}?)\1{19,}/g)) {
    written += `${quoted(text.slice(at, run.index))} + ${quoted(run[1])}.repeat(${run[0].length / run[1].length}) + `;
    at = run.index + run[0].length;
  }
  written = (written + quoted(text.slice(at))).replaceAll('"" + ', "").replace(/ \+ ""$/, "");
  return written.length <= LONGEST ? written : `${written.slice(0, LONGEST)} … (${text.length} bytes)`;
}

function quoted(text) {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
