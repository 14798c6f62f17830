// The blocks of TypeScript and JavaScript in the README and the pages for users, as programs: readme.test.ts and
// docs.test.ts run them, and .ci/typecheck-readme.mjs compiles them.

/** What a block without imports may take for granted. */
const PREAMBLE = `import express from "express";
import {
  admission, allOf, anyOf, attach, authorize, concurrency, detach, expectations, ExpectationError, handshakeOf, knownLength, maxSize, mediaTypes, preconditions,
  when, type Policy,
} from "express-expectations";
const app = express();
const save: express.RequestHandler = (req, res) => void req.on("end", () => res.end()).resume();
`;

const TESTING_PREAMBLE = `import express from "express";
import { expectations, maxSize, silent } from "express-expectations";
import { handshake } from "express-expectations/testing";
const app = express();
app.put("/images/:id", expectations({ policies: [maxSize("10mb")], logger: silent }), async (req, res) => {
  for await (const _ of req);
  res.sendStatus(201);
});
`;

/** The pages whose blocks are programs, and what a block without imports may take for granted on each of them. */
const PAGES = { "README.md": PREAMBLE, "docs/client.md": "", "docs/testing.md": TESTING_PREAMBLE };

function blocksOf(markdown, preamble = PREAMBLE) {
  return [...markdown.matchAll(/^```(?:ts|js)\n(.*?)^```$/gms)].map(({ 1: code = "", index }, i) => {
    const heading =
      markdown
        .slice(0, index)
        .match(/^#+ .*$/gm)
        ?.at(-1) ?? "";
    const source = /^import /m.test(code) ? code : preamble + code;
    return { name: `${i + 1}, ${heading.replace(/^#+ /, "")}`, source: `${source}\nexport {};\n` };
  });
}

module.exports = { blocksOf, PAGES };
