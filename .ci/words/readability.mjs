// How easy pages are to read: Flesch's reading ease, the number of words of the README, and a first sentence.
import { toString as textOf } from "mdast-util-to-string";
import readability from "text-readability";
import { manual, nodesOf } from "./pages.mjs";

const LEAST = { "README.md": 55 };
const LEAST_OF_PAGES = 45;
const MOST_WORDS = { "README.md": 1_200 };

/** What is no prose. */
const SKIPPED = new Set(["code", "html", "table", "heading", "definition"]);

/** The paragraphs and list items of a page, each of them at least one sentence. */
function proseOf(tree) {
  const blocks = [...nodesOf(tree, ({ type }) => SKIPPED.has(type))].filter(({ type }) => type === "paragraph");
  return blocks.map((block) => {
    const text = textOf(block).trim();
    return /[.!?]$/.test(text) ? text : `${text.replace(/[:;,]$/, "")}.`;
  });
}

/** The words beside code, tables and pictures. */
function wordsOf(tree) {
  const nodes = [...nodesOf(tree, ({ type }) => ["code", "html", "table"].includes(type))];
  const texts = nodes.filter(({ type }) => type === "paragraph" || type === "heading").map((node) => textOf(node));
  return texts.join(" ").split(/\s+/).filter(Boolean).length;
}

export function figures() {
  return manual.map(({ path, tree }) => ({
    path,
    ease: readability.fleschReadingEase(proseOf(tree).join("\n")),
    words: wordsOf(tree),
  }));
}

export function readabilityFaults() {
  return figures().flatMap(({ path, ease, words }) => {
    const least = LEAST[path] ?? LEAST_OF_PAGES;
    const faults = [];
    if (ease < least) faults.push(`${path}: reading ease ${ease.toFixed(1)}, least ${least}`);
    if (words > (MOST_WORDS[path] ?? Number.POSITIVE_INFINITY))
      faults.push(`${path}: ${words} words, at most ${MOST_WORDS[path]}`);
    return faults;
  });
}
