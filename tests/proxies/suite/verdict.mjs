// What the measured exchanges say about a set-up.

/**
 * - "end to end": the origin's own 100 or refusal reaches the client before any content moves;
 * - "good": the same, and the 100 is the proxy's, sent after a yes;
 * - "lingering": content is under way before the refusal, which is seen all the same;
 * - "who waits": end to end, but some refusals are lost to clients that send without waiting;
 * - "avoid": refusals or uploads are lost, 100s are doubled or unordered, or somebody's next request is damaged.
 */
export function claimsOf(results) {
  const { held, accepted, waiting, pushed, unknown, curlWaiting, curlPushed } = results;
  const seesExpect = held.some((run) => run.seesExpect);
  const continueFrom = sourceOf(held, seesExpect);
  const sent = Math.max(...[...waiting, ...curlWaiting].map((run) => run.sent));
  const all = [...accepted, ...waiting, ...pushed, ...unknown];
  const claims = {
    seesExpect: seesExpect ? "yes" : "no",
    addsExpect: accepted.some((run) => run.addsExpect),
    continueFrom,
    sent,
    uploads: counted(accepted, isUploaded),
    waiting: counted(waiting, isSeen),
    pushed: counted(pushed, isSeen),
    curlWaiting: counted(curlWaiting, isSeen),
    curlPushed: counted(curlPushed, isSeen),
    statuses: statusesOf([...waiting, ...pushed, ...curlWaiting, ...curlPushed]),
    faults: tally(
      accepted
        .filter((run) => !isUploaded(run))
        .map(({ status, continues, error }) => `${status ?? error ?? "none"} behind ${continues}`),
    ),
    unknown: answersOf(unknown),
    nextAccepted: nextOf(accepted),
    nextRefused: nextOf([...waiting, ...pushed]),
    next: counted([...accepted, ...waiting, ...pushed], ({ next }) => next !== "lost"),
    others: counted(all, ({ other }) => other),
  };
  return { ...claims, verdict: verdictOf(claims) };
}

const isSeen = (run) => run.isSeen;
const isUploaded = ({ isStored, continues }) => isStored && continues === 1;

function counted(runs, isGood) {
  return { good: runs.filter(isGood).length, of: runs.length };
}

export const isWhole = ({ good, of }) => of > 0 && good === of;

function sourceOf(held, seesExpect) {
  const early = held.some(({ isEarly }) => isEarly);
  const most = Math.max(...held.map(({ continues }) => continues));
  if (most > 1) return "both";
  if (early) return "the proxy, at once";
  if (most === 0 || held.some(({ isTimely }) => !isTimely)) return "nobody";
  return seesExpect ? "the origin" : "the proxy, after a yes";
}

function verdictOf(claims) {
  const { uploads, waiting, pushed, curlWaiting, curlPushed, next, others, sent, continueFrom } = claims;
  if (![uploads, waiting, curlWaiting, next, others].every(isWhole)) return "avoid";
  const isSeenByAll = isWhole(pushed) && isWhole(curlPushed);
  if (sent > 0) return isSeenByAll ? "lingering" : "avoid";
  if (!isSeenByAll) return "who waits";
  return continueFrom === "the origin" ? "end to end" : "good";
}

/** How often a status came that was not the refusal's; 0 for none. */
function statusesOf(runs) {
  return tally(
    runs
      .filter(({ isSeen }) => !isSeen)
      .map(({ status = 0, error }) => (status === 0 ? (error ?? "none") : String(status))),
  );
}

function answersOf(unknown) {
  return Object.keys(
    tally(unknown.map(({ status = "none", isByApp }) => `${status} by the ${isByApp ? "app" : "proxy"}`)),
  );
}

function nextOf(runs) {
  return Object.keys(tally(runs.map(({ next }) => next)));
}

function tally(values) {
  const counts = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
