// A rule of textlint: a longest sentence, in words.
import { toString as textOf } from "mdast-util-to-string";

const MOST_WORDS = 38;
const sentences = new Intl.Segmenter("en", { granularity: "sentence" });

export function shortSentences({ Syntax, RuleError, report }) {
  return {
    [Syntax.Paragraph](node) {
      // A command is one word. With a capital letter, since a sentence may begin with it.
      const text = textOf(withShortCode(node)).replaceAll("\n", " ");
      for (const { segment } of sentences.segment(text)) {
        const words = segment.split(/\s+/).filter((word) => /\w/.test(word));
        if (words.length <= MOST_WORDS) continue;
        const begin = words.slice(0, 5).join(" ");
        report(node, new RuleError(`a sentence of ${words.length} words, at most ${MOST_WORDS}: "${begin} …"`));
      }
    },
  };
}

function withShortCode(node) {
  if (node.type === "Code") return { ...node, value: "Code" };
  return node.children ? { ...node, children: node.children.map(withShortCode) } : node;
}
