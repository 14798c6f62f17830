// The programs on a page, in TypeScript and JavaScript: pages.test.ts runs them, and .ci/typecheck-blocks.mjs compiles them.
//
// `javascript` marks a part of something, such as a web page, which is only parsed. A word behind the language says
// otherwise, too: `cjs` is CommonJS, which is only run.

const NAMES =
  "admission, allOf, anyOf, attach, authorize, concurrency, detach, expectations, ExpectationError, handshakeOf, knownLength, maxSize, mediaTypes, preconditions, refuse, when, type Policy";

/** What a block may take for granted. */
function preambleOf(code) {
  const lines = [];
  if (!/from "express-expectations"/.test(code)) lines.push(`import { ${NAMES} } from "express-expectations";`);
  const makesApp = /\bapp\.\w/.test(code) && !/\b(?:const|let) app\b/.test(code);
  const usesSave = /\bsave\b/.test(code) && !/\b(?:const|let|function) save\b/.test(code);
  const hasExpress = /^import express\b/m.test(code);
  if (!hasExpress && (makesApp || usesSave || /\bexpress\b[.(]/.test(code)))
    lines.push('import express from "express";');
  if (makesApp) lines.push("const app = express();");
  if (usesSave)
    lines.push("const save: express.RequestHandler = (req, res) => void req.on('end', () => res.end()).resume();");
  return lines.map((line) => `${line}\n`).join("");
}

const TESTING_PREAMBLE = `import express from "express";
import { expectations, maxSize, silent } from "express-expectations";
import { handshake } from "express-expectations/testing";
const app = express();
app.put("/images/:id", expectations({ policies: [maxSize("10mb")], logger: silent }), async (req, res) => {
  for await (const _ of req);
  res.sendStatus(201);
});
`;

/** What the blocks without imports of some pages may take for granted instead. */
const PREAMBLES = { "docs/client.md": "", "docs/testing.md": TESTING_PREAMBLE };

/** Pages whose blocks are files that `npm run test:frameworks` runs. */
const FILES = ["docs/frameworks.md", "docs/testing-your-app.md"];

function blocksOf(markdown, preamble) {
  const fences = [...markdown.matchAll(/^```(ts|js|javascript)( \w+)?\n(.*?)^```$/gms)];
  return fences.map(({ 1: language, 2: word = "", 3: code = "", index }, i) => {
    const headings = markdown.slice(0, index).match(/^#+ .*$/gm) ?? [""];
    const kind = language === "javascript" ? "fragment" : word.trim() || "program";
    const before = preamble === undefined ? preambleOf(code) : /^import /m.test(code) ? "" : preamble;
    const source = kind === "program" ? `${before}${code}\nexport {};\n` : code;
    return { name: `${i + 1}, ${headings.at(-1).replace(/^#+ /, "")}`, kind, code, source };
  });
}

module.exports = { blocksOf, FILES, PREAMBLES };
