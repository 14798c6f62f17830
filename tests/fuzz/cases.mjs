// Makes cases: what is sent, how, and which checks apply. A case is data alone, made again from its seed and index.
import { Random } from "./random.mjs";
import { PATHS, REFUSING } from "./routes.mjs";

/** Stands for the case's own number in a smuggled request: as long as what replaces it. */
export const KEY = "KKKKKKKK";

const FLAVOURS = { clean: 50, "bad framing": 14, "behind a refusal": 12, mutated: 20, garbage: 4 };

const CONTINUE = { isContinue: true, isUnknown: false };
const UNKNOWN = { isContinue: false, isUnknown: true };
const NOTHING = { isContinue: false, isUnknown: false };

/** Forms of `Expect`, and what they ask for. */
export const EXPECTS = [
  { lines: ["Expect: 100-continue"], ...CONTINUE },
  { lines: ["expect:100-Continue"], ...CONTINUE },
  { lines: ["EXPECT:\t 100-CONTINUE \t"], ...CONTINUE },
  { lines: ["Expect: , 100-continue,,"], ...CONTINUE },
  { lines: ["Expect: 100-continue, 100-continue"], ...CONTINUE },
  { lines: ["Expect: 100-continue", "Expect: 100-continue"], ...CONTINUE },
  { lines: ["Expect: ", "Expect: 100-continue"], ...CONTINUE },
  { lines: ["Expect:"], ...NOTHING },
  { lines: ["Expect: , ,"], ...NOTHING },
  { lines: ["Expect: teapot"], ...UNKNOWN },
  { lines: ["Expect: 100-continue, teapot"], isContinue: true, isUnknown: true },
  { lines: ["Expect: teapot", "Expect: 100-continue"], isContinue: true, isUnknown: true },
  { lines: ["Expect: 100-continue-x"], ...UNKNOWN },
  { lines: ["Expect: y 100-continue"], ...UNKNOWN },
  { lines: ['Expect: "100-continue"'], ...UNKNOWN },
  { lines: ["Expect: 100-continue;q=1"], ...UNKNOWN },
  { lines: ["Expect: 100-continue=1"], ...UNKNOWN },
  { lines: ['Expect: foo="bar, 100-continue"'], ...UNKNOWN },
  { lines: ['Expect: foo="bar'], ...UNKNOWN },
  { lines: ["Expect: 100-continu\xe9"], ...UNKNOWN },
  { lines: [`Expect: ${"a,".repeat(3_000)}100-continue`], isContinue: true, isUnknown: true },
  { lines: [`Expect: ${"a".repeat(9_000)}`], ...UNKNOWN },
];
const NO_EXPECT = { lines: [], ...NOTHING };

export const METHODS = ["POST", "PUT", "PATCH", "DELETE", "POST", "PUT", "GET", "HEAD", "OPTIONS"];
const FURTHER_LINES = [
  "Content-Type: application/json",
  "Content-Type: text/plain; charset=x",
  "Connection: keep-alive",
  "Connection: Keep-Alive, x",
  "TE: trailers",
  "Trailer: X-T",
  "User-Agent: fuzz",
  "Authorization: Basic eA==",
  "X-Request-ID: \x80\xff",
  "Accept: */*",
  "X: ",
  "If-Match: *",
  "Content-Encoding: gzip",
  "Range: bytes=0-1",
];

/**
 * Makes the case of an index.
 *
 * @returns `{ index, kind, flavour, requests, delivery, steps }`; `requests` is the oracle's view of clean cases.
 */
export function makeCase(seed, index, kinds) {
  const random = new Random(seed, index);
  const kind = random.pick(kinds);
  const flavour = random.weighted(FLAVOURS);
  const made = MAKERS[flavour](random, kind);
  return { index, kind, flavour, ...made };
}

const MAKERS = { clean, "bad framing": badFraming, "behind a refusal": behindARefusal, mutated, garbage };

// Well-formed requests: everything that looks like another request lies within the announced framing.
function clean(random, kind) {
  const requests = Array.from({ length: random.pick([1, 1, 1, 2, 2, 3, 5]) }, () => cleanRequest(random, kind));
  const delivery = random.weighted({ waiting: 35, once: 25, split: 25, "early fin": 6, "early rst": 6, vanish: 3 });
  // HTTP/1.0 ends its connection: Node answers 400 at once to bytes behind such a request, and so does not answer it.
  // What comes in one packet with an upgrade that nobody takes up, Node drops: its own framing is lost then.
  const last = requests.findIndex(({ version, upgrades }) => version === "1.0" || upgrades);
  if (last >= 0) requests.splice(last + 1);
  return { requests, delivery, ...deliver(random, requests, delivery) };
}

/** A well-formed request, whose content may look like other requests. */
export function cleanRequest(random, kind, smuggles = true, pathOf = anyPath) {
  const expect = random.chance(0.65)
    ? random.pick(EXPECTS.slice(0, random.chance(0.6) ? 3 : EXPECTS.length))
    : NO_EXPECT;
  const method = random.pick(METHODS);
  const version = random.chance(0.92) ? "1.1" : "1.0";
  const path = pathOf(random);
  const framing = random.weighted({ none: 2, length: 5, chunked: version === "1.0" ? 0 : 3 });
  const body = framing === "none" ? "" : makeBody(random, smuggles);
  const lines = ["Host: test"];
  if (framing === "length") lines.push(`Content-Length: ${body.length}`);
  if (framing === "chunked") lines.push(random.pick(["Transfer-Encoding: chunked", "transfer-encoding:Chunked"]));
  lines.push(...expect.lines);
  while (random.chance(0.4)) lines.push(random.pick(FURTHER_LINES));
  const upgrades = random.chance(0.03) && kind !== "upgrading";
  if (upgrades) lines.push("Upgrade: websocket", "Connection: Upgrade");
  return {
    method,
    path,
    version,
    expect,
    upgrades,
    length: framing === "none" ? 0 : framing === "chunked" ? undefined : body.length,
    bodyLength: body.length,
    head: headOf(random, method, path, version, lines),
    content: framing === "chunked" ? chunked(random, body) : body,
  };
}

function anyPath(random) {
  return random.chance(0.02) ? "/policy-never" : random.pick(PATHS.filter((name) => name !== "/policy-never"));
}

function headOf(random, method, path, version, lines) {
  const shuffled = lines.map((line) => ({ line, order: random.float() })).sort((a, b) => a.order - b.order);
  return `${method} ${path} HTTP/${version}\r\n${shuffled.map(({ line }) => `${line}\r\n`).join("")}\r\n`;
}

function makeBody(random, smuggles) {
  const length = random.weighted({ none: 8, few: 50, some: 30, many: 3 });
  if (length === "none") return "";
  if (length === "many")
    return `${"x".repeat(random.pick([20_000, 70_000, 300_000]))}${smuggles ? smuggled(random) : ""}`;
  if (smuggles && random.chance(0.6)) {
    let body = random.pick(["", "\r\n", "x", "0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"]);
    do body += smuggled(random);
    while (random.chance(0.3));
    return body;
  }
  return random.bytes(1 + random.below(length === "few" ? 40 : 400));
}

/** A request that no server may run: its path names the case. */
export function smuggled(random) {
  const method = random.pick(["GET", "POST", "PUT"]);
  return random.pick([
    `${method} /smuggled-${KEY} HTTP/1.1\r\nHost: h\r\n\r\n`,
    `${method} /smuggled-${KEY} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n`,
    `${method} /smuggled-${KEY} HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello`,
    `\r\n${method} /smuggled-${KEY} HTTP/1.0\r\n\r\n`,
  ]);
}

function chunked(random, body) {
  let text = "";
  let at = 0;
  while (at < body.length) {
    const most = 1 + random.below(body.length > 1_000 ? 50_000 : 60);
    const size = besideKey(body, Math.min(body.length, at + most)) - at;
    const digits = random.pick([size.toString(16), size.toString(16).toUpperCase(), `00${size.toString(16)}`]);
    text += `${digits}${random.pick(["", "", "", ";a=b", ';a="b"'])}\r\n${body.slice(at, at + size)}\r\n`;
    at += size;
  }
  return `${text}${random.pick(["0", "0", "000", "0;x"])}\r\n${random.pick(["", "", "", "X-T: 1\r\n"])}\r\n`;
}

// How the bytes of clean requests get on the wire.
function deliver(random, requests, delivery) {
  const all = requests.map(({ head, content }) => head + content).join("");
  switch (delivery) {
    case "waiting":
      return { steps: requests.flatMap((request, i) => waitingSteps(random, request, i)) };
    case "once":
      return { steps: [{ send: all }] };
    case "split":
      return { steps: split(random, all) };
    case "early fin":
      return { steps: [...split(random, all.slice(0, random.below(all.length + 1))), { fin: true }] };
    case "early rst":
      return { steps: [...split(random, all.slice(0, random.below(all.length + 1))), pause(random), { rst: true }] };
    case "vanish":
      return { steps: [{ send: requests[0].head }, pause(random), random.chance(0.5) ? { rst: true } : { fin: true }] };
    default:
      throw new Error(delivery);
  }
}

// A client that waits for the 100 (or the final status), and for each final status before its next request.
function waitingSteps(random, request, i) {
  const waits = request.expect.isContinue && request.version === "1.1" && request.length !== 0;
  const steps = random.chance(0.2) ? split(random, request.head) : [{ send: request.head }];
  if (waits) steps.push({ awaitInterim: i });
  if (request.content !== "") {
    // Behind a final status instead of the 100 the content is none any more; half of the clients send it all the same.
    const keepsBack = waits && random.chance(0.5);
    const pieces = random.chance(0.3) ? split(random, request.content) : [{ send: request.content }];
    steps.push(...pieces.map((step) => (keepsBack ? { ...step, unlessRefused: i } : step)));
  }
  steps.push({ awaitFinal: i });
  return steps;
}

/** Cuts a text into steps, none of them within a key. */
export function split(random, text) {
  const pieces = text.length > 2_000 ? 3 : 2 + random.below(6);
  const cuts = Array.from({ length: pieces - 1 }, () => besideKey(text, random.below(text.length + 1)));
  cuts.sort((a, b) => a - b);
  const steps = [];
  let from = 0;
  for (const cut of [...cuts, text.length]) {
    if (cut > from) steps.push({ send: text.slice(from, cut) }, ...(random.chance(0.7) ? [pause(random)] : []));
    from = cut;
  }
  return steps;
}

// The key is put in piece by piece: no cut goes through it.
function besideKey(text, cut) {
  const start = text.lastIndexOf(KEY, cut);
  return start >= 0 && cut > start && cut < start + KEY.length ? start + KEY.length : cut;
}

function pause(random) {
  return { pauseMs: random.pick([0, 0, 0, 1, 4, 8]) };
}

export const LENGTH_LINES = [
  ["Content-Length: 5", "Content-Length: 6"],
  ["Content-Length: 0", "Content-Length: 5"],
  ["Content-Length: 5", "Content-Length: 5"],
  ["Content-Length: 5, 5"],
  ["Content-Length: +5"],
  ["Content-Length: -5"],
  ["Content-Length: 0x5"],
  ["Content-Length: 5 5"],
  ["Content-Length: 5_0"],
  ["Content-Length: 5.0"],
  ["Content-Length: "],
  ["Content-Length: 5;"],
  ["Content-Length: 99999999999999999999999"],
  ["Content-Length: 18446744073709551621"],
  ["Content-Length: 9007199254740993"],
];
export const CODING_LINES = [
  ["Transfer-Encoding: identity"],
  ["Transfer-Encoding: gzip"],
  ["Transfer-Encoding: chunked, identity"],
  ["Transfer-Encoding: gzip, chunked"],
  ["Transfer-Encoding: chunked, chunked"],
  ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
  ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
  ["Transfer-Encoding: xchunked"],
  ["Transfer-Encoding: chunkedx"],
  ["Transfer-Encoding: chunked;q=1"],
  ["Transfer-Encoding: \x0bchunked"],
  ["Transfer-Encoding: "],
  ['Transfer-Encoding: "chunked"'],
];
export const BOTH_LINES = [
  ["Content-Length: 5", "Transfer-Encoding: chunked"],
  ["Transfer-Encoding: chunked", "Content-Length: 5"],
  ["Content-Length: 0", "Transfer-Encoding: chunked"],
  ["Content-Length: 5", "Transfer-Encoding: identity"],
  ["Content-Length: 500", "Transfer-Encoding: chunked"],
  ["content-length:5", "TRANSFER-ENCODING: Chunked"],
];

// Framing that two readers may take differently: refused and closed, so that none of what follows ever runs.
function badFraming(random, kind) {
  const fault = random.pick(["length", "coding", "both", "http/1.0", "host", "version"]);
  const lines = ["Host: test"];
  let version = "1.1";
  if (fault === "length") lines.push(...random.pick(LENGTH_LINES));
  if (fault === "coding") lines.push(...random.pick(CODING_LINES));
  if (fault === "both") lines.push(...random.pick(BOTH_LINES));
  if (fault === "http/1.0") {
    version = "1.0";
    lines.push("Transfer-Encoding: chunked");
  }
  if (fault === "host") {
    lines.push(random.pick(["Host: other", "host: test", "HOST:"]));
    lines.push(random.pick(["Content-Length: 5", "Transfer-Encoding: chunked", "X: y"]));
  }
  if (fault === "version") {
    version = random.pick(["2.0", "0.9", "3.0", "9.9", "1.1.1", "11"]);
    lines.push(random.pick(["Content-Length: 5", "X: y"]));
  }
  const expect = random.chance(0.5) ? random.pick(EXPECTS) : NO_EXPECT;
  lines.push(...expect.lines);
  while (random.chance(0.3)) lines.push(random.pick(FURTHER_LINES));
  const method = random.pick(METHODS);
  const path = random.pick(PATHS.filter((name) => name !== "/policy-never"));
  const order = random.chance(0.5) ? lines : [...lines].reverse();
  const head = `${method} ${path} HTTP/${version}\r\n${order.map((line) => `${line}\r\n`).join("")}\r\n`;
  let body = random.pick(["", "hello", "0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "\r\n"]);
  do body += smuggled(random);
  while (random.chance(0.5));
  const steps = random.chance(0.5)
    ? [{ send: head + body }]
    : random.chance(0.5)
      ? split(random, head + body)
      : [{ send: head }, { awaitQuiet: true }, { send: body }];
  return { fault, kind, steps };
}

// A request that is refused for certain: nothing that comes behind it on its connection runs, content or not.
function behindARefusal(random, kind) {
  const why = random.pick(["policy", "policy", "unknown", "limit", "not read"]);
  const length = random.pick([1, 5, 37, 5_000]);
  const lines = ["Host: test"];
  let path = random.pick(REFUSING);
  let framing = random.pick([`Content-Length: ${length}`, "Transfer-Encoding: chunked"]);
  let content = random.pick(["", "hello", "0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "x".repeat(5_000)]);
  if (why === "policy" && random.chance(0.6)) lines.push(...EXPECTS[random.below(3)].lines);
  if (why === "unknown") {
    lines.push(...random.pick(EXPECTS.filter(({ isUnknown }) => isUnknown)).lines);
    path = random.pick(PATHS);
    if (random.chance(0.4)) framing = "X: y";
  }
  if (why === "limit") {
    path = "/limit";
    content = random.pick(["41\r\n", "1000\r\n"]) + "x".repeat(65);
    if (framing.startsWith("Content")) framing = "Content-Length: 65";
    else if (random.chance(0.5)) lines.push(EXPECTS[0].lines[0]);
  }
  if (why === "not read") {
    path = random.pick(["/no-read", "/no-read-late", "/keep-alive", "/resume", "/throw", "/nowhere"]);
    lines.push(...EXPECTS[random.below(3)].lines);
  }
  lines.push(framing);
  const head = headOf(random, random.pick(METHODS), path, "1.1", lines);
  let rest = content;
  do rest += smuggled(random);
  while (random.chance(0.5));
  // The final status of one that is not read is certain only where none of its content came before it.
  const isOrdered = why === "not read";
  if (isOrdered && kind === "immediately") return clean(random, kind);
  const steps =
    isOrdered || (why !== "limit" && random.chance(0.4))
      ? [{ send: head }, { awaitFinal: 0 }, ...(random.chance(0.5) ? [{ send: rest }] : split(random, rest))]
      : random.chance(0.5)
        ? [{ send: head + rest }]
        : split(random, head + rest);
  return { why, steps };
}

const TOKENS = [
  "\r\n",
  "\n",
  "\r",
  "\r\n\r\n",
  "\0",
  " ",
  "\t",
  ":",
  "HTTP/1.0",
  "HTTP/1.1",
  "HTTP/2.0",
  "Expect: 100-continue\r\n",
  "Expect: x\r\n",
  "Content-Length: 5\r\n",
  "Content-Length: 99999999999\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Connection: close\r\n",
  "Connection: Upgrade\r\nUpgrade: h2c\r\n",
  "Host: x\r\n",
  "CONNECT ",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "0\r\n\r\n",
  "ffffffffffffffff\r\n",
  "ffffffff\r\n",
  "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
  "GET /destroy HTTP/1.1\r\nHost: x\r\n\r\n",
  "\xff\xfe",
];

// Anything may have become of the framing: only the checks that hold for any bytes apply.
function mutated(random, kind) {
  const requests = Array.from({ length: 1 + random.below(3) }, () => cleanRequest(random, kind, false));
  let text = requests.map(({ head, content }) => head + content).join("");
  text = mutate(random, text, requests[0].head.length);
  return { steps: ended(random, random.chance(0.5) ? [{ send: text }] : split(random, text)) };
}

/** Changes some bytes of a text, most of them in its first head. */
export function mutate(random, original, firstHead) {
  let text = original;
  for (let i = 1 + random.below(6); i > 0; i--) {
    const at = random.below(random.chance(0.7) ? Math.min(text.length, firstHead) : text.length);
    const to = Math.min(text.length, at + random.below(12));
    switch (random.below(6)) {
      case 0:
        text = text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1);
        break;
      case 1:
        text = text.slice(0, at) + text.slice(to);
        break;
      case 2:
        text = text.slice(0, at) + random.pick(TOKENS) + text.slice(at);
        break;
      case 3:
        text = text.slice(0, at) + text.slice(at, to).repeat(2 + random.below(3)) + text.slice(to);
        break;
      case 4: {
        const line = text.indexOf("\r\n", at);
        if (line >= 0) text = text.slice(0, line + 2) + random.pick(TOKENS) + text.slice(line + 2);
        break;
      }
      default:
        if (random.chance(0.3)) text = text.slice(0, at + 1);
    }
  }
  return text;
}

function garbage(random) {
  const text = random.pick([
    () => random.bytes(1 + random.below(600)),
    () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    () => `\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03${random.bytes(300)}`,
    () => `POST /${"a".repeat(20_000)} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
    () =>
      `POST /read HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n${"X-Y: z\r\n".repeat(2_500)}Content-Length: 5\r\n\r\n`,
    () => `CONNECT test:80 HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello`,
    () => "GET /no-read HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1 + random.below(60)),
    () =>
      `POST /refuse-async HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi${"GET /no-read HTTP/1.1\r\nHost: x\r\n\r\n".repeat(random.below(60))}`,
    () =>
      `POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n${random.pick(["g\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "-1\r\n", "fffffffffffffffff\r\n", "5\nhello\n0\n\n", "5;\0\r\nhello\r\n", `${"5;".padEnd(20_000, "a")}\r\n`, "0\r\nX: \0\r\n\r\n"])}`,
  ])();
  return { steps: ended(random, random.chance(0.5) ? [{ send: text }] : split(random, text)) };
}

function ended(random, steps) {
  if (random.chance(0.7)) return steps;
  return [...steps, pause(random), random.chance(0.5) ? { fin: true } : { rst: true }];
}
