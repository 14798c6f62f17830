import { expectedOf } from "./routes.mjs";

/**
 * Says what is wrong with the outcome of a case; `undefined` where nothing is.
 *
 * What a smuggled request did is told by the server, not here.
 */
export function faultOf(oneCase, client) {
  if (client.hang) return `hang: ${client.hang}, not within its deadline`;
  if (client.keptOpen) return client.keptOpen;
  if (client.fault && !(client.isTruncated && (mayBeCut(oneCase) || client.hasReset))) return client.fault;
  return (
    interimFault(oneCase, client) ??
    behindCloseFault(client) ??
    (isSettling(oneCase) ? cleanFault(oneCase, client) : undefined)
  );
}

/** Whether each request of the case is to be answered, with a status known in advance. */
export function isSettling({ flavour, delivery }) {
  return flavour === "clean" && (delivery === "waiting" || delivery === "once" || delivery === "split");
}

// A response that has begun is cut off where its upload is refused or ends too soon.
function mayBeCut({ flavour, delivery }) {
  return flavour !== "clean" || delivery === "early fin" || delivery === "early rst" || delivery === "vanish";
}

// One 100 at most in front of each final status, and none that nobody asked for.
function interimFault({ requests, steps }, { responses }) {
  let before = 0;
  let finals = 0;
  let all = 0;
  for (const { status } of responses) {
    if (status >= 200) {
      finals++;
      before = 0;
    }
    if (status !== 100) continue;
    all++;
    if (++before > 1) return `two 100s for request ${finals}`;
    if (!requests) continue;
    const request = requests[finals];
    if (!request) return "a 100 behind the last final status";
    if (request.version === "1.0") return `a 100 to HTTP/1.0 (request ${finals})`;
    if (!request.expect.isContinue || request.length === 0) return `a 100 that request ${finals} did not ask for`;
  }
  const sent = steps.map(({ send }) => send ?? "").join("");
  if (all > (sent.match(/100-continue/gi)?.length ?? 0)) return "more 100s than were asked for";
  if (all > 0 && !sent.includes("HTTP/1.1") && !/HTTP\/[2-9]/.test(sent)) return "a 100 to HTTP/1.0";
  return undefined;
}

function behindCloseFault({ finals }) {
  const closing = finals.findIndex(({ closes }) => closes);
  return closing >= 0 && closing < finals.length - 1
    ? `a response behind one that closes (${finals[closing].status})`
    : undefined;
}

function cleanFault({ requests, kind, delivery }, { responses, finals, error }) {
  for (const [i, request] of requests.entries()) {
    const final = finals[i];
    // Answered from the first bytes on a connection that ends: Node closes with the rest unread, and may reset.
    if (!final && request.version === "1.0" && request.path === "/first") return undefined;
    if (!final) return `no final status for request ${i} (${error ?? "closed"})`;
    const { statuses, continues } = expectedOf(kind, request);
    if (!statuses.includes(final.status)) return `request ${i}: ${final.status}; expected ${statuses.join(" or ")}`;
    const sent = responses[responses.indexOf(final) - 1]?.status === 100 ? 1 : 0;
    if (sent > continues) return `request ${i}: a 100 that is not due before ${final.status}`;
    if (delivery === "waiting" && sent < continues) return `request ${i}: no 100 before ${final.status}`;
    if (final.closes || request.upgrades) return undefined;
  }
  return finals.length > requests.length ? "more final statuses than requests" : undefined;
}
