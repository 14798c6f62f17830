// Makes cases from a seed and an index: the bytes, and where the client waits for the server.
import {
  BOTH_LINES,
  CODING_LINES,
  cleanRequest,
  EXPECTS,
  KEY,
  LENGTH_LINES,
  METHODS,
  mutate,
  smuggled,
  split,
} from "../fuzz/cases.mjs";
import { Random } from "../fuzz/random.mjs";
import { ROUTES } from "./routes.mjs";

const FLAVOURS = { clean: 32, odd: 24, "bad framing": 12, withheld: 14, mutated: 18 };

/** @returns `{ index, flavour, steps, isUnsettled }`; the same for the same seed and index. */
export function makeCase(seed, index) {
  const random = new Random(seed, index);
  const flavour = random.weighted(FLAVOURS);
  return { index, flavour, ...MAKERS[flavour](random) };
}

const MAKERS = { clean, odd, "bad framing": badFraming, withheld, mutated };

const pathOf = (random) => `/${random.pick(ROUTES)}/${KEY}`;

function request(random, smuggles = true) {
  return cleanRequest(random, "", smuggles, pathOf);
}

const textOf = ({ head, content }) => head + content;

// Well-formed requests, alone or pipelined, that a client sends at once, in pieces, or not to their end.
function clean(random) {
  const requests = Array.from({ length: random.pick([1, 1, 2, 2, 3, 4]) }, () => request(random));
  const text = requests.map(textOf).join("");
  const delivery = random.weighted({ once: 40, pieces: 25, "one by one": 20, early: 10, fin: 5 });
  if (delivery === "once") return { steps: [{ send: text }] };
  if (delivery === "pieces") return { steps: pieces(random, text) };
  if (delivery === "one by one") {
    return {
      steps: requests.flatMap((one) => [{ send: one.head }, { settle: true }, { send: one.content }, { settle: true }]),
    };
  }
  const cut = text.slice(0, random.below(text.length));
  if (delivery === "early") return { steps: pieces(random, cut) };
  // The server sees the end while it is at work: what it still does then is left to it.
  return { isUnsettled: true, steps: [{ send: random.chance(0.5) ? text : cut }, { fin: true }] };
}

// Between pieces the client waits until the server has taken all of them in, or does not wait at all.
function pieces(random, text) {
  return split(random, text).flatMap((step) =>
    step.send === undefined ? (random.chance(0.7) ? [{ settle: true }] : []) : [step],
  );
}

// Who expects nothing has no reason to wait.
const WITHHELD = EXPECTS.filter(({ isContinue, isUnknown }) => isContinue || isUnknown);

// A client that waits for its 100, and what it does when a final status comes instead.
function withheld(random) {
  const steps = [];
  const count = random.pick([1, 1, 2]);
  for (let i = 0; i < count; i++) {
    const expect = random.chance(0.7) ? EXPECTS[random.below(3)] : random.pick(WITHHELD);
    const repeats = random.chance(0.5);
    const path = pathOf(random);
    const method = random.pick(METHODS.slice(0, 6));
    const further = random.chance(0.3) ? ["Connection: keep-alive"] : [];
    if (repeats) {
      const { first, repeat } = alignedRepeat(random, method, path, [...expect.lines, ...further]);
      steps.push({ send: first }, { settle: true }, { send: repeat, ifKept: i }, { settle: true });
      continue;
    }
    const content = random.chance(0.5) ? smuggled(random) : random.bytes(1 + random.below(200));
    const isChunked = random.chance(0.3);
    const framing = isChunked ? "Transfer-Encoding: chunked" : `Content-Length: ${content.length}`;
    const head = headOf(method, path, ["Host: test", framing, ...expect.lines, ...further]);
    const sent = isChunked ? `${content.length.toString(16)}\r\n${content}\r\n0\r\n\r\n` : content;
    const pushes = random.chance(0.5);
    steps.push({ send: head }, { settle: true });
    steps.push({ send: sent, ...(pushes ? {} : { unlessFinal: i }) }, { settle: true });
  }
  return { steps };
}

// What curl does behind a 417 that keeps the connection: it repeats the request without `Expect`. A server that still
// waits for the first content takes the repeat's head for a part of it, and the end of the file for a request.
function alignedRepeat(random, method, path, lines) {
  const length = 400 + random.below(200);
  const fields = ["Host: test", `Content-Length: ${length}`, `User-Agent: ${"repeats".repeat(20)}`];
  const head = (extra) => headOf(method, path, [...fields, ...extra]);
  const repeatHead = head([]);
  const hidden = smuggled(random);
  const padding = repeatHead.length - hidden.length - "X-Pad: \r\n".length;
  const tail = padding < 0 ? hidden : hidden.replace("\r\n\r\n", () => `\r\nX-Pad: ${"p".repeat(padding)}\r\n\r\n`);
  return { first: head(lines), repeat: repeatHead + "x".repeat(length - tail.length) + tail };
}

function headOf(method, path, lines) {
  return `${method} ${path} HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
}

// Framing that two readers may take differently, and a request in what follows.
function badFraming(random) {
  const fault = random.pick(["length", "coding", "both", "http/1.0", "version"]);
  const lines = ["Host: test"];
  let version = "1.1";
  if (fault === "length") lines.push(...random.pick(LENGTH_LINES));
  if (fault === "coding") lines.push(...random.pick(CODING_LINES));
  if (fault === "both") lines.push(...random.pick(BOTH_LINES));
  if (fault === "http/1.0") {
    version = "1.0";
    lines.push("Transfer-Encoding: chunked");
  }
  if (fault === "version") {
    version = random.pick(["2.0", "0.9", "3.0", "1.2", "1.9"]);
    lines.push("Content-Length: 5");
  }
  if (random.chance(0.4)) lines.push(...random.pick(EXPECTS.slice(0, 12)).lines);
  const order = random.chance(0.5) ? lines : [...lines].reverse();
  const head = headOf(random.pick(METHODS), pathOf(random), order).replace("HTTP/1.1", `HTTP/${version}`);
  const content = random.pick(["", "hello", "0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"]) + smuggled(random);
  const before = random.chance(0.3) ? textOf(request(random)) : "";
  return {
    steps: random.chance(0.5)
      ? [{ send: before + head + content }]
      : [{ send: before + head }, { settle: true }, { send: content }],
  };
}

const aLine = (random, head, change) => {
  const lines = head.split("\r\n");
  const i = 1 + random.below(Math.max(1, lines.length - 3));
  lines[i] = change(lines[i]);
  return lines.join("\r\n");
};
const added =
  (...lines) =>
  (head, random) =>
    head.replace("\r\n", () => `\r\n${random.pick(lines)}\r\n`);
const requestLine = (change) => (head) => head.replace(/^.*/, change);
const target = (change) => requestLine((line) => line.replace(/ (\/\S*) /, (_, path) => ` ${change(path)} `));

const ODD_HEADS = [
  (head, random) => aLine(random, head, (line) => `${line}\r\n folded`),
  (head, random) => aLine(random, head, (line) => line.replace(/:[ \t]*/, ":\r\n\t")),
  (head, random) => aLine(random, head, (line) => line.replace(":", " :")),
  (head, random) => aLine(random, head, (line) => ` ${line}`),
  (head, random) => aLine(random, head, (line) => `${line}\rX: y`),
  (head, random) => aLine(random, head, (line) => line.replaceAll("\r\n", "").replace(":", "")),
  (head) => head.replace("\r\n", "\n"),
  (head) => head.replaceAll("\r\n", "\n"),
  (head) => head.replace(/\r\n\r\n$/, "\n\n"),
  (head) => head.replace(/\r\n\r\n$/, "\r\n\n"),
  (head, random) => `${"\r\n".repeat(1 + random.below(3))}${head}`,
  (head) => `\n${head}`,
  target((path) => `http://test${path}`),
  target((path) => `http://other:81${path}`),
  target((path) => `HTTPS://user:secret@test${path}`),
  target((path) => `${path}?a=b&c`),
  target((path) => `${path}?a=%zz`),
  target((path) => `${path}#f`),
  target((path) => `/${path}`),
  target((path) => `/..${path}`),
  target((path) => path.slice(1)),
  target((path) => `${path}\xe9`),
  target(() => "*"),
  target(() => "ftp://test/"),
  target(() => "http://"),
  requestLine((line) => line.replace(/^\w+/, "OPTIONS").replace(/\/\S*/, "*")),
  requestLine((line) => line.toLowerCase()),
  requestLine((line) => line.replace(/^\w+/, (method) => method.toLowerCase())),
  requestLine((line) => line.replace(/^\w+/, "BREW")),
  requestLine((line) => line.replace(/^\w+/, "CONNECT")),
  requestLine((line) => line.replace(" ", "  ")),
  requestLine((line) => line.replace(" ", "\t")),
  requestLine((line) => `${line} `),
  requestLine((line) => line.replace(/ HTTP.*/, "")),
  requestLine((line) => line.replace("HTTP/1.", "HTTP/1.0")),
  requestLine((line) => line.replace(/HTTP\/1../, "HTTP/1.2")),
  requestLine((line) => line.replace(/HTTP\/1../, "http/1.1")),
  (head) => head.replace(/\r\nHost: test/, ""),
  (head) => head.replace(/\r\nHost: test/, "\r\nHost:"),
  (head) => head.replace(/\r\nHost: test/, "\r\nHost: a b"),
  (head) => head.replace(/\r\nHost: test/, "\r\nHost: test, other"),
  (head) => head.replace(/\r\nHost: test/, "\r\nHost: test\r\nhost: test"),
  (head) => head.replace(/\r\nHost: test/, "\r\nHost: t/e"),
  added("X: a\0b", "X: a\x01b", "X: a\x7fb", "X\x01: y", "\xe9: y", ": y", "X(: y", "X Y: z", "novalue"),
  added("Connection: close", "Connection: close, keep-alive", "Connection: Close", "Connection: ,"),
  added("Connection: Content-Length", "Connection: Transfer-Encoding", "Connection: Expect"),
  added("Content_Length: 5", "Transfer_Encoding: chunked", "Content-Length\x0b: 5", "Transfer-Encoding\t: chunked"),
  added(
    "Upgrade: websocket",
    "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
  ),
  added(`X: ${"y".repeat(9_000)}`, `X: ${"y".repeat(17_000)}`),
  (head) => head.replace(" HTTP/1.1", " HTTP/1.0").replace("\r\n", "\r\nConnection: keep-alive\r\n"),
  (head, random) => head.replace("\r\n", `\r\n${random.pick(EXPECTS).lines.join("\r\n")}\r\nTrailer: X-T\r\n`),
];

const ODD_CONTENTS = [
  (body) => `${body.length.toString(16)};${"e".repeat(300)}=1\r\n${body}\r\n0\r\n\r\n`,
  (body) => `${body.length.toString(16)};a="\r\n${body}\r\n0\r\n\r\n`,
  (body) => `${body.length.toString(16)};a=b\n${body}\r\n0\r\n\r\n`,
  (body) => `${body.length.toString(16)};a\rb\r\n${body}\r\n0\r\n\r\n`,
  (body) => `${body.length.toString(16)} ;a="b;c\\"d"\r\n${body}\r\n0\r\n\r\n`,
  (body) => `${body.length.toString(16)}  \r\n${body}\r\n0\r\n\r\n`,
  (body) => ` ${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  (body) => `0x${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  (body) => `+${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  (body) => `-1\r\n${body}\r\n0\r\n\r\n`,
  (body) => `fffffffffffffffff\r\n${body}\r\n0\r\n\r\n`,
  (body) => `${"0".repeat(20)}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  (body) => `${body.length.toString(16)}\n${body}\n0\n\n`,
  (body) => `${body.length.toString(16)}\r\n${body}\n0\r\n\r\n`,
  (body) => `${body.length.toString(16)}\r\n${body}X\r\n0\r\n\r\n`,
  (body) => `${body.length.toString(16)}\r\n${body}0\r\n\r\n`,
  (body) => `\r\n${body}\r\n0\r\n\r\n`,
  (body) => `${body.length.toString(16)};${"e".repeat(6_000)}\r\n${body}\r\n0\r\n\r\n`,
  ...[
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "Expect: 100-continue",
    "Host: other",
    "X: a\r\n b",
    "no colon",
  ].map((trailer) => (body) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n${trailer}\r\n\r\n`),
  (body) => `${body.length.toString(16)}\r\n${body}\r\n0\r\nX: y\n\n`,
  (body) => `${body.length.toString(16)}\r\n${body}\r\n0\r\nX : y\r\n\r\n`,
  (body) => `${body.length.toString(16)}\r\n${body}\r\n0\r\nX: a\0b\r\n\r\n`,
];

// One thing that is odd: some of it is allowed, some is to be refused, and some is the reader's choice.
function odd(random) {
  const isContent = random.chance(0.35);
  const one = isContent ? oddContent(random) : oddHead(random);
  const before = random.chance(0.25) ? textOf(request(random)) : "";
  const behind = random.chance(0.6) ? textOf(request(random)) : "";
  if (random.chance(0.6)) return { steps: [{ send: before + one.head + one.content + behind }] };
  return {
    steps: [
      { send: before + one.head },
      { settle: true },
      { send: one.content },
      { settle: true },
      ...(behind ? [{ send: behind }] : []),
    ],
  };
}

function oddHead(random) {
  const { head, content } = request(random);
  return { head: random.pick(ODD_HEADS)(head, random), content };
}

function oddContent(random) {
  const expect = random.chance(0.4) ? EXPECTS[random.below(3)].lines : [];
  const head = headOf(random.pick(METHODS.slice(0, 6)), pathOf(random), [
    "Host: test",
    "Transfer-Encoding: chunked",
    ...expect,
  ]);
  const body = random.chance(0.6) ? smuggled(random) : "x".repeat(1 + random.below(80));
  return { head, content: random.pick(ODD_CONTENTS)(body) };
}

// Anything may have become of the framing.
function mutated(random) {
  const requests = Array.from({ length: 1 + random.below(3) }, () => request(random, random.chance(0.5)));
  const text = mutate(random, requests.map(textOf).join(""), requests[0].head.length);
  return { steps: random.chance(0.6) ? [{ send: text }] : pieces(random, text) };
}
