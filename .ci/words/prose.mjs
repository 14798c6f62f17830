// Plain English: the words of plain-words.mjs for pages and the comments of src/, and a longest sentence for pages.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TextlintKernel } from "@textlint/kernel";
import markdown from "@textlint/textlint-plugin-markdown";
import sentenceLength from "textlint-rule-sentence-length";
import ts from "typescript";
import { repository, written } from "./pages.mjs";
import { faultsOf, plainWords } from "./plain-words.mjs";

const LONGEST_SENTENCE = 230;
/** Written by the runs of proxies and clients, whose generators are not changed without another run. */
const WITHOUT_LENGTHS = /^docs\/(?:proxies|clients)\.md$|^CHANGELOG\.md$/;

const kernel = new TextlintKernel();

async function messagesOf(text, path) {
  const rules = [{ ruleId: "plain-words", rule: plainWords }];
  const rule = sentenceLength.default ?? sentenceLength;
  if (!WITHOUT_LENGTHS.test(path))
    rules.push({ ruleId: "sentence-length", rule, options: { max: LONGEST_SENTENCE, skipUrlStringLink: true } });
  const plugins = [{ pluginId: "markdown", plugin: markdown.default ?? markdown }];
  const { messages } = await kernel.lintText(text, { ext: ".md", filePath: path, rules, plugins });
  return messages;
}

/** What a bench wrote is figures. */
const withoutFigures = (text) =>
  text.replace(/<!-- (bench|results) -->[^]*?<!-- \/\1 -->/g, (written) => written.replace(/[^\n]/g, ""));

/** The comments of a source file, each on its line. */
function commentsOf(text) {
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, false, ts.LanguageVariant.Standard, text);
  const lines = [];
  for (let token = scanner.scan(); token !== ts.SyntaxKind.EndOfFileToken; token = scanner.scan()) {
    if (token !== ts.SyntaxKind.SingleLineCommentTrivia && token !== ts.SyntaxKind.MultiLineCommentTrivia) continue;
    const line = text.slice(0, scanner.getTokenStart()).split("\n").length;
    for (const [i, each] of asProse(scanner.getTokenText()).split("\n").entries()) lines.push([line + i, each]);
  }
  return lines;
}

function asProse(comment) {
  return comment.replace(/^\/\*\*? ?|\*\/$|^\s*\* ?|^\/\/ ?/gm, "").replace(/`[^`]*`|@example.*/g, "…");
}

export async function proseFaults() {
  const faults = [];
  for (const { path, text } of written) {
    for (const { line, message } of await messagesOf(withoutFigures(text), path))
      faults.push(`${path}:${line}: ${message.replaceAll("\n", " ")}`);
  }
  const sources = readdirSync(join(repository, "src"), { recursive: true }).filter((file) => file.endsWith(".ts"));
  for (const file of sources) {
    for (const [line, text] of commentsOf(readFileSync(join(repository, "src", file), "utf8")))
      for (const { message } of faultsOf(text)) faults.push(`src/${file}:${line}: ${message}`);
  }
  return faults;
}
