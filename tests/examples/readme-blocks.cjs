// The README's blocks of TypeScript and JavaScript, as programs: readme.test.ts runs them, and
// .ci/typecheck-readme.mjs compiles them.

/** What a block without imports may take for granted. */
const PREAMBLE = `import express from "express";
import {
  admission, allOf, anyOf, attach, authorize, concurrency, detach, expectations, ExpectationError, handshakeOf, knownLength, maxSize, mediaTypes, preconditions,
  when, type Policy,
} from "express-expectations";
const app = express();
const save: express.RequestHandler = (req, res) => void req.on("end", () => res.end()).resume();
`;

function blocksOf(markdown) {
  return [...markdown.matchAll(/^```(?:ts|js)\n(.*?)^```$/gms)].map(({ 1: code = "", index }, i) => {
    const heading =
      markdown
        .slice(0, index)
        .match(/^#+ .*$/gm)
        ?.at(-1) ?? "";
    const source = /^import /m.test(code) ? code : PREAMBLE + code;
    return { name: `${i + 1}, ${heading.replace(/^#+ /, "")}`, source: `${source}\nexport {};\n` };
  });
}

module.exports = { blocksOf };
