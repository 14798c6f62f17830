// What attached servers, node:http and Go's net/http are known to do differently with the same bytes, and who is right.
//
// A difference is covered by the first class whose dimension and traits fit, and whose patterns fit what each server did.
// The traits are those of reading.mjs: of the request that is answered differently, and of the one behind it (`next`).

import { UNSOUND } from "./reading.mjs";
import { SERVERS } from "./routes.mjs";

const ROUTE = "route \\d+";
/** No answer: there is none yet, or the connection ended, or a reset took it away. */
const CUT = "(?:nothing|reset)(?:, ran)?";
const BAD = "400 itself";
const ANYTHING = ".*";
const either = (...patterns) => patterns.join("|");

/** A head with these is refused by all that see it, and no request behind it is to be trusted. */
const MALFORMED = ["request line", "field line", "leading white space", "bare CR", "NUL", "control character"];
/** What Node's parser refuses although its end is plain. */
const REFUSED = ["unknown method", "target", "no Host", "unfinished head"];
const CHUNK_FAULTS = ["chunk size", "chunk end", "chunk line end", "chunk extension fault", "trailer fault"];

/** Differences in who answers a request, and with which status. `route` is an answer of the application or its guard. */
const ANSWERS = [
  {
    name: "malformed head",
    traits: MALFORMED,
    rfc: "RFC 9112 §2.2, §3, §5",
    right: "ours",
    says: "400. Go accepts some of it, or waits for the end of the head; Node runs the request if its unknown method, version or field is one that its parser lets through",
    ours: either(BAD, "(?:431|505) itself", CUT),
    node: ANYTHING,
    go: ANYTHING,
  },
  {
    name: "bare LF ends a line",
    traits: ["bare LF"],
    rfc: "RFC 9112 §2.2",
    right: "all",
    says: "a recipient may take a bare LF for a line end, or refuse it",
    ours: either(BAD, CUT, ROUTE),
    node: either(BAD, CUT, ROUTE),
    go: ANYTHING,
  },
  {
    name: "obs-fold",
    traits: ["obs-fold"],
    rfc: "RFC 9112 §5.2",
    right: "all",
    says: "400, or one space in its place",
    ours: either(BAD, CUT),
    node: either(BAD, CUT),
    go: either(ROUTE, CUT, "(?:400|417|501) itself"),
  },
  {
    name: "white space before a colon",
    traits: ["space before colon"],
    rfc: "RFC 9112 §5.1",
    right: "ours, node",
    says: "400",
    ours: either(BAD, CUT),
    node: either(BAD, CUT),
    go: ANYTHING,
  },
  {
    name: "HTTP version",
    traits: ["version"],
    rfc: "RFC 9110 §2.5, §15.6.6",
    right: "go",
    says: "505 for another major version. A higher minor version is served as 1.1; Node refuses it, and runs HTTP/2.0 and 0.9",
    ours: either("(?:400|505) itself", CUT),
    node: either(ROUTE, "400 itself(?:, ran)?", "417 itself", CUT),
    go: either("(?:505|400|417|501) itself", ROUTE),
  },
  {
    name: "Content-Length that is no number",
    traits: ["Content-Length fault"],
    rfc: "RFC 9112 §6.3",
    right: "ours",
    says: "400 and close",
    ours: either(BAD, CUT),
    node: ANYTHING,
    go: ANYTHING,
  },
  {
    name: "Content-Length repeated with one value",
    traits: ["Content-Length list"],
    rfc: "RFC 9112 §6.3",
    right: "all",
    says: "400, or the one value",
    ours: either(BAD, CUT),
    node: either(BAD, CUT),
    go: either(ROUTE, "(?:400|417) itself", CUT),
  },
  {
    name: "tab beside Content-Length",
    traits: ["tab beside Content-Length"],
    rfc: "RFC 9110 §5.5, §5.6.3",
    right: "go",
    says: "white space around a value is no part of it; Node's parser takes spaces alone",
    ours: either(BAD, CUT),
    node: either(BAD, CUT),
    go: either(ROUTE, "417 itself", CUT),
  },
  {
    name: "Transfer-Encoding other than chunked",
    traits: ["Transfer-Encoding fault"],
    rfc: "RFC 9112 §6.1, §6.3",
    right: "go",
    says: "501, or 400 if chunked is not the last coding; bare Node runs some of them, and takes the content for requests",
    ours: either("(?:400|501) itself", CUT),
    node: either("(?:400|417) itself(?:, ran)?", ROUTE, CUT),
    go: either("(?:400|501) itself", CUT),
  },
  {
    name: "Transfer-Encoding beside Content-Length",
    traits: ["Transfer-Encoding and Content-Length"],
    rfc: "RFC 9112 §6.1, §6.3",
    right: "ours, node",
    says: "an error, or chunked and close; Go uses chunked and keeps the connection",
    ours: either(BAD, CUT),
    node: either(BAD, CUT),
    go: ANYTHING,
  },
  {
    name: "Transfer-Encoding in HTTP/1.0",
    traits: ["Transfer-Encoding in HTTP/1.0"],
    rfc: "RFC 9112 §6.1",
    right: "ours",
    says: "faulty framing; bare Node and Go run it",
    ours: either(BAD, CUT),
    node: ANYTHING,
    go: ANYTHING,
  },
  {
    name: "large head",
    traits: ["large head"],
    rfc: "RFC 9110 §5.4, RFC 6585 §5",
    right: "all",
    says: "Node takes 16 KiB, Go 1 MiB",
    ours: either("431 itself", CUT),
    node: either("431 itself", CUT),
    go: either(ROUTE, "(?:400|417) itself", CUT),
  },
  {
    name: "CONNECT",
    traits: ["CONNECT"],
    next: ["CONNECT"],
    rfc: "RFC 9110 §9.3.6",
    right: "none",
    says: "501 for a server that makes no tunnels. Node cuts the connection, with what earlier requests still wait for; Go leaves it to the routes",
    ours: either(CUT, BAD),
    node: either(CUT, BAD, ROUTE),
    go: either(ROUTE, "(?:400|417) itself"),
  },
  {
    name: "unknown method",
    traits: ["unknown method"],
    rfc: "RFC 9110 §9.1",
    right: "none",
    says: "501. Node's parser does not know it: 400; Go leaves it to the routes",
    ours: either(BAD, CUT),
    node: either(BAD, CUT),
    go: either(ROUTE, "(?:400|417) itself", CUT),
  },
  {
    name: "target that is no URI",
    traits: ["target"],
    rfc: "RFC 9112 §3.2",
    right: "ours, node",
    says: "400 is recommended. Node takes some of them to the routes, and Go others",
    // Express answers 404 without a route if there is no path.
    ours: either(ROUTE, "(?:400|404|417) itself", CUT),
    node: either(ROUTE, "(?:400|417) itself(?:, ran)?", CUT),
    go: either(ROUTE, "(?:400|404|417) itself", CUT),
  },
  {
    name: "more than one Host",
    traits: ["Host twice"],
    rfc: "RFC 9112 §3.2",
    right: "ours, go",
    says: "400; bare Node takes the first",
    ours: either(BAD, CUT),
    node: either(ROUTE, "417 itself", "400 itself, ran", CUT),
    go: either(BAD, CUT),
  },
  {
    name: "no Host",
    traits: ["no Host"],
    rfc: "RFC 9112 §3.2",
    right: "all",
    says: "400; only a head that is not whole is answered differently",
    ours: either(BAD, CUT),
    node: either(BAD, CUT),
    go: either(BAD, CUT),
  },
  {
    name: "Host that is none",
    traits: ["bad Host"],
    rfc: "RFC 9112 §3.2",
    right: "go",
    says: "400; Node does not look at the value, and this package leaves it as Node has it",
    ours: either(ROUTE, "417 itself", "400 itself, ran", CUT),
    node: either(ROUTE, "417 itself", "400 itself, ran", CUT),
    go: either(BAD, CUT),
  },
  {
    name: "spaces in the request line",
    traits: ["spaces in the request line"],
    rfc: "RFC 9112 §3",
    right: "all",
    says: "a server may split the line at white space",
    ours: either(ROUTE, "417 itself"),
    node: either(ROUTE, "417 itself", "400 itself, ran"),
    go: either(BAD, CUT),
  },
  {
    name: "empty line before a request",
    traits: ["empty line first"],
    rfc: "RFC 9112 §2.2",
    right: "ours, node",
    says: "to be ignored; Go does so behind a POST alone",
    ours: either(ROUTE, "417 itself", CUT),
    node: either(ROUTE, "417 itself", "400 itself, ran", CUT),
    go: either(BAD, CUT),
  },
  {
    name: "unknown expectation",
    traits: ["unknown expectation"],
    rfc: "RFC 9110 §10.1.1",
    right: "ours, go",
    says: "417. Bare Node takes a value with the word 100-continue in it for one, and Go a list that has it",
    ours: "417 itself",
    node: either(ROUTE, "(?:400|404|413|417) itself(?:, ran)?", CUT),
    go: either(ROUTE, "(?:200|417) itself", CUT),
  },
  {
    name: "OPTIONS *",
    traits: ["asterisk form"],
    rfc: "RFC 9110 §9.3.7",
    right: "all",
    says: "Go answers it by itself",
    ours: either(ROUTE, CUT),
    node: either(ROUTE, "417 itself", CUT),
    go: either("200 itself", "400 itself", ROUTE),
  },
  {
    name: "Expect without a member",
    traits: ["empty Expect"],
    rfc: "RFC 9110 §5.6.1, §10.1.1",
    right: "ours",
    says: "no expectation, and so nothing to refuse; bare Node answers 417 by itself, and Go where the value is not empty",
    ours: either(ROUTE, CUT, "400 itself, ran"),
    node: either("417 itself", ROUTE, CUT, "400 itself, ran"),
    go: either(ROUTE, "417 itself", CUT),
  },
  {
    name: "empty member before 100-continue",
    traits: ["100-continue in a list"],
    rfc: "RFC 9110 §5.6.1",
    right: "ours, node",
    says: "to be ignored; Go answers 417 unless the first field line has it",
    ours: either(ROUTE, CUT, "400 itself, ran"),
    node: either(ROUTE, CUT, "400 itself, ran"),
    go: "417 itself",
  },
  {
    name: "fault in chunked content",
    traits: [
      ...CHUNK_FAULTS,
      "trailer for framing",
      "white space behind a chunk size",
      "large chunk line",
      "long chunk size",
    ],
    rfc: "RFC 9112 §7.1, §8",
    right: "all",
    says: "400 if the fault is seen in time. A route that answers without reading does not see it, and Go lets some of it pass",
    ours: either(ROUTE, "400 itself(?:, ran)?", CUT),
    node: either(ROUTE, "400 itself, ran", CUT),
    go: either(ROUTE, CUT),
  },
  {
    name: "upgrade that nobody takes up",
    traits: ["upgrade"],
    previous: ["upgrade"],
    rfc: "RFC 9110 §7.8",
    right: "go",
    says: "to be ignored. Node drops what came in one packet with the request; an attached server ends the connection if the request has content or an expectation, and leaves the others to Node",
    ours: either(ROUTE, CUT, "400 itself(?:, ran)?"),
    node: either(ROUTE, CUT, "400 itself(?:, ran)?"),
    go: either(ROUTE, "(?:200|400|417) itself", CUT),
  },
  {
    name: "head that is not whole",
    traits: ["unfinished head"],
    rfc: "RFC 9112 §8",
    right: "all",
    says: "400 at once if it cannot become valid, or at its end",
    ours: either(BAD, CUT),
    node: either(BAD, CUT),
    go: either(BAD, CUT),
  },
  {
    name: "content that is not whole",
    traits: ["unfinished content"],
    rfc: "RFC 9112 §8",
    right: "all",
    says: "some wait for the rest before they answer: Express before its 404, Go before it closes",
    ours: either(ROUTE, CUT, "400 itself, ran"),
    node: either(ROUTE, CUT, "400 itself, ran"),
    go: either(ROUTE, CUT),
  },
  {
    name: "garbage behind a request that is under way",
    when: ({ values }) => values.node.endsWith(", ran"),
    rfc: "RFC 9112 §9.3.2",
    right: "ours, go",
    says: "answers go out in the order of their requests; bare Node writes its 400 in the place of the first one",
    ours: either(ROUTE, CUT),
    node: either("(?:400|431) itself, ran", CUT),
    go: either(ROUTE, CUT),
  },
  {
    name: "answer that a reset took away",
    when: ({ values }) => Object.values(values).some((value) => value.startsWith("reset")),
    rfc: "RFC 9112 §9.6",
    right: "ours",
    says: "a server should close in stages. Bare Node and Go close with bytes unread; an attached server too, behind a request without content",
    ours: either(ROUTE, "\\d+ itself(?:, ran)?", CUT),
    node: either(ROUTE, "\\d+ itself(?:, ran)?", CUT),
    go: either(ROUTE, "\\d+ itself(?:, ran)?", CUT),
  },
  {
    name: "garbage behind requests without content",
    when: ({ request }) => request?.hasContent === false && !request.expectsContinue,
    rfc: "RFC 9112 §9.3.2",
    right: "go",
    says: "the same. An attached server leaves requests without content and their connections to Node",
    ours: "(?:400|431) itself, ran",
    node: either("(?:400|431) itself, ran", ROUTE),
    go: either(ROUTE, CUT),
  },
];

const CLOSING = ["100-continue", "unknown expectation", "upgrade", "Upgrade without Connection", "HTTP/1.0"];

function hasReasonToClose({ request, traits, next }) {
  const isUnsure = next.some((trait) => UNSOUND.has(trait) || REFUSED.includes(trait));
  return request?.hasContent || isUnsure || CLOSING.some((trait) => traits.includes(trait));
}

/** Differences in what becomes of the connection behind an answer. */
const FATES = [
  {
    name: "end of a refusal",
    when: (difference) => difference.values.ours === "closes" && hasReasonToClose(difference),
    rfc: "RFC 9110 §10.1.1, RFC 9112 §9.3, §9.6",
    right: "all",
    says: "a server may close, or read the rest. This package closes behind a refusal of content or of an expectation, behind content that nobody reads, behind bad framing, and behind an upgrade that is not taken up",
    ours: "closes",
    node: either("closes", "keeps"),
    go: either("closes", "keeps"),
  },
  {
    name: "content that was not asked for",
    when: ({ request }) => request?.hasContent || request?.expectsContinue,
    rfc: "RFC 9110 §10.1.1",
    right: "all",
    says: "Go closes if it has sent no 100, or if it has not read all of the content, even if all of it is there",
    ours: "keeps",
    node: either("closes", "keeps"),
    go: either("closes", "keeps"),
  },
  {
    name: "HTTP/1.0 with keep-alive",
    traits: ["HTTP/1.0 kept"],
    rfc: "RFC 9112 §9.3",
    right: "all",
    says: "a server may keep the connection; bare Node closes it if it has sent no 100",
    ours: either("closes", "keeps"),
    node: either("closes", "keeps"),
    go: either("closes", "keeps"),
  },
  {
    name: "connection with half a request",
    traits: ["unfinished head", "unfinished content", ...CHUNK_FAULTS],
    rfc: "RFC 9112 §8",
    right: "all",
    says: "the rest may come; a reader that takes what is there for whole runs what comes next",
    ours: either("waits for more", "closed"),
    node: either("waits for more", "closed"),
    go: either("waits for more", "closed", "in step", "reset"),
  },
];

/** Differences in the 100. */
const INTERIMS = [
  {
    name: "100 before anybody has decided",
    traits: ["100-continue", "unknown expectation"],
    rfc: "RFC 9110 §10.1.1",
    right: "ours, go",
    says: "a 100 promises to read; bare Node sends it at once, before its application can refuse, to HTTP/1.1 and to what only looks like the expectation",
    ours: "no 100",
    node: "100",
    go: "no 100",
  },
  {
    name: "100 although the content is there",
    traits: ["100-continue"],
    rfc: "RFC 9110 §10.1.1",
    right: "all",
    says: "it may be left out then; bare Node and Go send it all the same",
    ours: "no 100",
    node: "100",
    go: "100",
  },
  {
    name: "100 that Go does not see is asked for",
    traits: ["100-continue"],
    rfc: "RFC 9110 §5.6.1",
    right: "ours, node",
    says: "Go looks at the first field line alone",
    ours: "100",
    node: "100",
    go: "no 100",
  },
];

const CLASSES = { answer: ANSWERS, fate: FATES, interim: INTERIMS, content: [] };

/** All classes, in the order of the table. */
export const ALL_CLASSES = Object.values(CLASSES).flat();

const AFTER_UPGRADE = [
  "a kept connection is out of step",
  "a request ran from content",
  "a request ran behind unsound framing",
  "a request ran behind one that closes",
  "a 100 to HTTP/1.0",
  "a 100 that nobody asked for",
];

/** What servers do against an invariant. Two of these are of attached servers, too: they are Node's parser's own. */
export const KNOWN_VIOLATIONS = [
  {
    name: "runs requests behind a response that closes",
    servers: ["node"],
    invariants: [
      "a request ran behind a closing final",
      "a request ran behind one that closes",
      "a request ran behind a refusal",
    ],
    rfc: "RFC 9112 §9.6",
  },
  {
    name: "runs the end of an upload that is repeated behind a 417",
    servers: ["node"],
    invariants: ["a request ran from the content of a repeated upload"],
    rfc: "RFC 9110 §10.1.1, RFC 9112 §9.3",
  },
  {
    name: "sends a 100 for what only looks like 100-continue",
    servers: ["node", "go"],
    invariants: ["a 100 that nobody asked for"],
    traits: ["unknown expectation"],
    rfc: "RFC 9110 §10.1.1",
  },
  {
    name: "runs what follows a head that is not valid",
    servers: ["node", "go"],
    invariants: ["a request ran behind unsound framing"],
    traits: [...MALFORMED, "bare LF", "obs-fold", "space before colon", "version", "large head", "CONNECT"],
    rfc: "RFC 9112 §2.2, §3, §5",
  },
  {
    name: "runs what follows framing that another reader may take differently",
    servers: ["node", "go"],
    invariants: ["a request ran behind unsound framing"],
    traits: [
      "Content-Length fault",
      "Content-Length list",
      "Transfer-Encoding fault",
      "Transfer-Encoding and Content-Length",
      "Transfer-Encoding in HTTP/1.0",
      ...CHUNK_FAULTS,
    ],
    rfc: "RFC 9112 §6.1, §6.3, §7.1",
  },
  {
    name: "drops what came in one packet with an upgrade, and takes what comes next for a request",
    servers: ["node"],
    invariants: AFTER_UPGRADE,
    anywhere: ["upgrade"],
    rfc: "RFC 9110 §7.8",
  },
  {
    name: "the same behind an upgrade without content or expectation, which an attached server leaves to Node",
    servers: ["ours"],
    invariants: AFTER_UPGRADE,
    anywhere: ["upgrade without content"],
    rfc: "RFC 9110 §7.8",
  },
  {
    name: "keeps a connection of HTTP/1.0 whose request says both close and keep-alive, as Node's parser has it",
    servers: ["ours", "node", "go"],
    invariants: ["a request ran behind one that closes"],
    traits: ["close beside keep-alive"],
    rfc: "RFC 9112 §9.3",
  },
];

/** The known violation that covers one; `undefined` if none does. */
export function knownViolation(server, { invariant, traits, anywhere }) {
  return KNOWN_VIOLATIONS.find(
    (known) =>
      known.servers.includes(server) &&
      known.invariants.includes(invariant) &&
      (known.traits?.some((trait) => traits.includes(trait)) ?? true) &&
      (known.anywhere?.some((trait) => anywhere.includes(trait)) ?? true),
  );
}

const fits = (pattern, value) => new RegExp(`^(?:${pattern})$`).test(value);

/**
 * The class that covers a difference; `undefined` if none does.
 *
 * A request may have several traits, and one server may mind the first and another the second: then each of them does
 * what one of the classes says.
 */
export function classOf(difference) {
  const meant = CLASSES[difference.dimension].filter((one) => isMeant(one, difference));
  const does = (one, server) => fits(one[server], difference.values[server]);
  const whole = meant.find((one) => SERVERS.every((server) => does(one, server)));
  if (whole) return whole;
  return SERVERS.every((server) => meant.some((one) => does(one, server))) ? meant[0] : undefined;
}

function isMeant({ when, traits, next, previous }, difference) {
  const has = (wanted, present) => wanted?.some((trait) => present.includes(trait)) ?? false;
  return (
    has(traits, difference.traits) ||
    has(next, difference.next) ||
    has(previous, difference.previous) ||
    (when?.(difference) ?? false)
  );
}
