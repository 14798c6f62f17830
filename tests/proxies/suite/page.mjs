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

This page is what the last \`npm run test:proxies\` wrote; \`npm run test:proxies -- --check\` compares it with another run.
Real proxies, each in a process of its own on loopback, stand in front of an attached app: ${versions()}. Each exchange is played ${runs} times: an upload that is accepted (300 kB), a refusal of 1 MiB by a client that waits for its \`100\`, a refusal of 16 MiB by one that does not, both by curl as well, an unknown expectation, the next request on the same connection, and requests of other clients behind each of these.

- **end to end**: the app's own \`100\` or refusal reaches the client before any content moves.
- **good**: no content moves before a refusal; the \`100\` is the proxy's, which has asked the app's policies first.
- **lingering**: the proxy sends a \`100\` of its own, so that content is under way before the app is asked; the refusal is seen all the same.
- **who waits**: end to end; but of the clients that send without waiting, those that stop at a send error lose some refusals to a reset, which is the proxy's.
- **avoid**: something was lost or damaged, or more than one \`100\` came.

In the first three, every refusal reached the client, every upload was stored byte for byte behind at most one \`100\`, and no other request was damaged. ${counts.join(", ")}.

${tableOf(results)}

"another client's requests" counts pairs of a GET and a small PUT on connections of their own. What hung three times is not played on. A next request counts where it was answered as it should be, or the connection was closed or said to close. In the column of unknown expectations, \`Expect: tea\`, "201 by the app" means that the proxy took the field off.

## What to write into the configuration

${Object.entries(ADVICE).map(adviceOf).join("\n\n")}

## What the package cannot do

- A proxy that sends \`100 Continue\` itself has decided; no answer of the app takes that back. The rows with "the proxy, at once" show what is left: the refusal arrives, the content was sent for nothing.
- Two \`100\`s come where Caddy sends one before the app is asked, and passes the app's on. The app sends exactly one.
- The app says \`Connection: close\` with a refusal and closes. Whether the client's own connection ends is the proxy's to say: HAProxy takes the field off.
- A refused upload is not kept from the proxy's own disk or memory where it buffers requests whole.
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
