// Plain English: the words of plain-words.mjs for pages and the comments of src/, and a longest sentence for pages.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TextlintKernel } from "@textlint/kernel";
import markdown from "@textlint/textlint-plugin-markdown";
import ts from "typescript";
import { repository, written } from "./pages.mjs";
import { faultsOf, plainWords } from "./plain-words.mjs";
import { shortSentences } from "./short-sentences.mjs";

const kernel = new TextlintKernel();
const plugins = [{ pluginId: "markdown", plugin: markdown.default ?? markdown }];
const RULES = [
  { ruleId: "plain-words", rule: plainWords },
  { ruleId: "short-sentences", rule: shortSentences },
];

/** Written by `npm run test:frameworks`. */
const GENERATED = ["docs/frameworks.md"];

async function messagesOf(text, path) {
  const rules = GENERATED.includes(path) ? RULES.slice(0, 1) : RULES;
  const { messages } = await kernel.lintText(text, { ext: ".md", filePath: path, rules, plugins });
  return messages;
}

/** What a bench wrote is figures, and what shows a fact is a list of names. */
const withoutNames = (text) =>
  text
    .replace(/<!-- (bench|results) -->[\s\S]*?<!-- \/\1 -->/g, (written) => written.replace(/[^\n]/g, ""))
    .replace(/^Shown by: .*/gm, "");

/** The comments of a source file, each on its line. */
function commentsOf(text) {
  const file = ts.createSourceFile("file.ts", text, ts.ScriptTarget.Latest, true);
  const comments = new Map();
  const visit = (node) => {
    const parts = node.getChildren(file).filter((part) => !ts.isJSDoc(part));
    for (const part of parts) visit(part);
    if (parts.length > 0) return;
    // Comments stand in front of a token. One on the line of the token before counts as that one's.
    const at = node.getFullStart();
    for (const find of [ts.getTrailingCommentRanges, ts.getLeadingCommentRanges])
      for (const comment of find(text, at) ?? []) comments.set(comment.pos, comment);
  };
  visit(file);
  return [...comments.values()].flatMap(({ pos, end }) => {
    const line = file.getLineAndCharacterOfPosition(pos).line + 1;
    return asProse(text.slice(pos, end))
      .split("\n")
      .map((each, i) => [line + i, each]);
  });
}

function asProse(comment) {
  return comment.replace(/^\/\*\*? ?|\*\/$|^\s*\* ?|^\/\/ ?/gm, "").replace(/`[^`]*`|@example.*/g, "…");
}

export async function proseFaults() {
  const faults = [];
  for (const { path, text } of written) {
    for (const { line, message } of await messagesOf(withoutNames(text), path))
      faults.push(`${path}:${line}: ${message.replaceAll("\n", " ")}`);
  }
  const sources = readdirSync(join(repository, "src"), { recursive: true }).filter((file) => file.endsWith(".ts"));
  for (const file of sources) {
    for (const [line, text] of commentsOf(readFileSync(join(repository, "src", file), "utf8")))
      for (const { message } of faultsOf(text)) faults.push(`src/${file}:${line}: ${message}`);
  }
  return faults;
}
