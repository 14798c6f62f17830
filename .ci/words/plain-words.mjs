// Words that must be read twice, with what to write instead. `caught` is a sentence of an earlier text that the entry would have
// caught, and the check fails if it no longer does.
const PLAIN_WORDS = [
  { find: /\bpass(?:es|ed|ing)? over\b/, write: "ignores", caught: "passes over certificates" },
  {
    find: /(?<!here )\bis no (?!longer|more\b|less\b|way\b|need\b|time\b|room\b)/,
    write: "is not a",
    caught: "is no guard",
  },
  { find: /\bfalls? away\b/, write: "is omitted", caught: "a guard that falls away when a header is left out" },
  { find: /\bdisturbs?\b/, write: "affects", caught: "What it throws disturbs no request" },
  { find: /\bWhat (?:it|an? \w+|the \w+) (?:throws|rejects)\b/, write: "errors thrown by …", caught: "What it throws" },
  { find: /\bwhom\b/, write: "which requests, who", caught: "whom the guard judges: every request" },
  { find: /\basks? nobody\b/, write: "has no login", caught: "It asks nobody who they are" },
  { find: /\bthat nobody (?:knows|takes)\b/, write: "unknown, unused", caught: "An expectation that nobody knows" },
  { find: /\bor nobody\b/, write: "otherwise …", caught: "must answer text, or nobody is accepted" },
  { find: /\b(?:by|reaches|to) nobody\b/, write: "say who or what", caught: "Its place is taken by nobody" },
  { find: /\bmust answer\b/, write: "must return", caught: "must answer text, or nobody is accepted" },
  {
    find: /\banswers? (?:`|"|true\b|false\b|text\b|nothing\b|a promise\b|nonsense\b)/,
    write: "returns",
    caught: "a policy that answers nonsense",
  },
  { find: /\bthat would be\b/, write: "give the reason in a sentence", caught: "that would be credit" },
  { find: /\bstands there\b/, write: "is listed", caught: "a server that stands there twice" },
  { find: /(?:^|\. )(?:Kept|Not at once): /, write: "a sentence", caught: "Kept: the request may lose it" },
  { find: /\b(?:flows?|comes?|came|falls?) past\b/, write: "is not read, was not watched", caught: "it flows past" },
  { find: /\bnothing else would\b/, write: "say which event has fired", caught: "nothing else would tell" },
  { find: /\bwould (?:take its|it be told)\b/, write: "handles, reports", caught: "Where would it be told?" },
  { find: /\bin (?:the|its) client's favour\b/, write: "accepted", caught: "Decided in the client's favour" },
  { find: /\bA (?:\w+) and no \w+:/, write: "because …", caught: "A list and no Map: the tables keep" },
  { find: /\bSee the \w+'s\.?$/, write: "the reason itself", caught: "See the handshake's" },
  { find: /\bfor want of\b/, write: "because there is no", caught: "refused for want of credentials" },
  { find: /\bof (?:one's|somebody(?: else)?'s) own\b/, write: "your own", caught: "a policy of one's own" },
  { find: /\bof somebody else's\b/, write: "another", caught: "a gateway of somebody else's" },
  {
    find: /\b(?:server|guard|proxy|gate|package|policy|handshake|library|process|store|software) (?:hears|wishes|meets|wants|says yes|has heard|has said yes)\b/,
    write: "receives, needs, accepts",
    caught: "before the server hears of the upload",
  },
  { find: /\bis slow to\b/, write: "a sentence about time", caught: "one that is slow to read is no idle client" },
  { find: /\bthere, too\b/, write: "also …", caught: "for this status and page there, too" },
];

for (const { find, caught } of PLAIN_WORDS) {
  if (!find.test(caught)) throw new Error(`${find} does not catch ${JSON.stringify(caught)}`);
}

/** What is to be written otherwise in a piece of text, with its place. */
export function* faultsOf(text) {
  for (const { find, write } of PLAIN_WORDS) {
    const match = find.exec(text);
    if (match) yield { index: match.index, message: `"${match[0].trim()}": write "${write}"` };
  }
}

/** A rule of textlint for {@link faultsOf}. */
export function plainWords({ Syntax, RuleError, report, getSource, locator }) {
  return {
    [Syntax.Str](node) {
      const text = getSource(node);
      const colons = /: [^.:?!]{3,}: /.exec(text);
      const chains = colons ? [{ index: colons.index, message: "two colons in a sentence" }] : [];
      for (const { index, message } of [...faultsOf(text), ...chains])
        report(node, new RuleError(message, { padding: locator.at(index) }));
    },
  };
}
