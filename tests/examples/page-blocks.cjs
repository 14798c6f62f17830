// The programs on a page, in TypeScript and JavaScript: pages.test.ts runs them, and .ci/typecheck-blocks.mjs compiles them.
//
// A word behind the language says otherwise: `cjs` is CommonJS, which is only run. `fragment` is a part of something, such
// as a web page, and `file` is run by a test of its own: these two are only parsed.

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

function blocksOf(markdown) {
  return [...markdown.matchAll(/^```(?:ts|js)( \w+)?\n(.*?)^```$/gms)].map(
    ({ 1: word = "", 2: code = "", index }, i) => {
      const heading =
        markdown
          .slice(0, index)
          .match(/^#+ .*$/gm)
          ?.at(-1) ?? "";
      const kind = word.trim() || "program";
      const source = kind === "program" ? `${preambleOf(code)}${code}\nexport {};\n` : code;
      return { name: `${i + 1}, ${heading.replace(/^#+ /, "")}`, kind, code, source };
    },
  );
}

module.exports = { blocksOf };
