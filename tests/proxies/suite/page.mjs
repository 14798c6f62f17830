// docs/proxies.md, from what a run found.
import { ADVICE } from "./advice.mjs";
import { versionOf } from "./programs.mjs";
import { isBest, SETUPS } from "./setups.mjs";
import { tableOf } from "./table.mjs";

/** @param results - of `playAll`, for all set-ups. */
export function pageOf(results, runs) {
  const isCalled =
    (...verdicts) =>
    ({ claims }) =>
      claims !== undefined && verdicts.includes(claims.verdict);
  const counts = [
    `${results.filter(isCalled("end to end")).length} of ${results.length} set-ups are end to end`,
    `${results.filter(isCalled("good")).length} good`,
    `${results.filter(isCalled("lingering")).length} lingering`,
    `${results.filter(isCalled("who waits")).length} for those who wait`,
    `${results.filter(isCalled("avoid")).length} to avoid`,
    `${results.filter(({ skipped }) => skipped).length} skipped`,
  ];
  return `# Behind reverse proxies

What real proxies do to the handshake. [Behind a proxy](behind-a-proxy.md) says what to do about it. The last \`npm run test:proxies\` wrote this page; \`npm run test:proxies -- --check\` compares it with another run.

Each proxy is a process of its own on loopback, in front of an attached app. Versions: ${versions()}. Each exchange is played ${runs} times. An upload of 300 kB is accepted. An upload of 1 MiB by a client that waits for its \`100\` is refused, and one of 16 MiB by a client that does not wait. curl plays both refusals as well. Then come an unknown expectation, the next request on the same connection, and requests of other clients after each of these.

- **end to end**: the app's own \`100\` or refusal reaches the client before any content moves.
- **good**: no content moves before a refusal. The proxy sends the \`100\`, after it has asked the app's policies.
- **lingering**: the proxy sends its own \`100\`, so content is on its way before the app is asked. The client still sees the refusal.
- **who waits**: end to end. But some clients that send without waiting, and stop at a send error, lose refusals to a reset by the proxy.
- **avoid**: something was lost or damaged, or more than one \`100\` came.

In the first three, every refusal reached the client, and no other request was damaged. Every upload was stored byte for byte after at most one \`100\`. ${counts.join(", ")}.

${tableOf(results)}

"another client's requests" counts pairs of a GET and a small PUT on connections of their own. An exchange that hung three times is not repeated. A next request counts if it got the right response, or if the connection was closed or announced to close. The column of unknown expectations sends \`Expect: tea\`; "201 by the app" means that the proxy removed the field.

## What to write into the configuration

${Object.entries(ADVICE).map(adviceOf).join("\n\n")}

## What the package cannot do

- If a proxy has sent \`100 Continue\` itself, the app cannot undo that. In the rows with "the proxy, at once", the refusal arrives, but the content was sent for nothing.
- Two \`100\`s come if Caddy sends one before it asks the app, and passes the app's on. The app sends exactly one.
- The app sends \`Connection: close\` with a refusal and closes. The proxy decides whether the client's connection ends. HAProxy removes the field.
- If a proxy buffers whole requests, a refused upload still reaches its disk or memory.
`;
}

function versions() {
  const programs = [...new Set(SETUPS.flatMap(({ hops }) => hops.map(({ program }) => program)))];
  return programs.map((program) => `${program} ${versionOf(program) ?? "(not installed)"}`).join(", ");
}

function adviceOf([title, { best, text }]) {
  const files = best.map((name) => {
    const { hops } = SETUPS.find((setup) => setup.name === name && isBest(setup));
    return hops[0].files.map((file) => `[${file}](../${file})`).join(" and ");
  });
  return `### ${title}\n\n${text}${files.length > 0 ? `\n\nThe file that was measured: ${files.join("; ")}.` : ""}`;
}
