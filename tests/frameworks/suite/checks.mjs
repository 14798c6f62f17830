// The twelve checks. Each returns nothing if all is well, or what came instead, in words for the page.
import { createHash, randomBytes } from "node:crypto";
import { chunk, Exchange } from "./exchange.mjs";

const BINARY = randomBytes(48 * 1024);
const TEXT = Buffer.from(BINARY.toString("base64"));
/** More than the recipes' limit of 1 MiB. */
const LARGE_BYTES = 2 * 2 ** 20;

const smallOf = ({ upload }) => (upload.isText ? TEXT : BINARY);

/** How the recipes' route is called, unless a set-up says otherwise. */
export const UPLOAD = {
  method: "PUT",
  type: "application/octet-stream",
  pathOf: (name) => `/files/${name}`,
  encode: (_name, content) => content,
  /** Whether the route takes text alone. */
  isText: false,
  /** Final statuses: of an upload, of a handler that throws, of one that responds without reading, of no route. */
  accepted: 201,
  thrown: 500,
  early: 201,
  missing: 404,
};

/**
 * @typedef {object} Peer
 * @property {number} port
 * @property {boolean} isTls
 * @property {typeof UPLOAD} upload
 * @property {() => string | undefined} faultOf - what the program has died of.
 */

/** @type {{ id: string, title: string, run: (peer: Peer) => Promise<string | undefined> }[]} */
export const CHECKS = [
  {
    id: "accepted",
    title: "accepted behind one 100",
    run: (peer) => withExchange(peer, async (exchange) => upload(exchange, peer, "accepted")),
  },
  {
    id: "plain",
    title: "accepted without `Expect`",
    run: (peer) =>
      withExchange(peer, async (exchange) => {
        const content = encoded(peer, "plain");
        exchange.send(head(peer, "plain", [length(content)]), content);
        await exchange.final();
        return statuses(exchange, [peer.upload.accepted]) ?? digests(exchange, [smallOf(peer)]);
      }),
  },
  {
    id: "refused",
    title: "refused, 0 bytes sent",
    run: (peer) =>
      withExchange(peer, async (exchange) => {
        exchange.send(head(peer, "refused", [EXPECT, `Content-Length: ${LARGE_BYTES}`]));
        await exchange.final();
        await exchange.end();
        return statuses(exchange, [413]) ?? ended(exchange);
      }),
  },
  {
    id: "plain refused",
    title: "refused without `Expect`",
    run: (peer) =>
      withExchange(peer, async (exchange) => {
        exchange.send(head(peer, "refused", [`Content-Length: ${LARGE_BYTES}`]));
        await exchange.push(Buffer.alloc(LARGE_BYTES));
        await exchange.final();
        await exchange.end();
        return statuses(exchange, [413]) ?? ended(exchange);
      }),
  },
  {
    id: "cut off",
    title: "chunked, cut off",
    run: (peer) =>
      withExchange(peer, async (exchange) => {
        exchange.send(head(peer, "cut", [EXPECT, "Transfer-Encoding: chunked"]));
        await exchange.until(() => exchange.statuses.length > 0);
        // Without an end: behind whole content the connection could be kept.
        await exchange.push(encoded(peer, "cut", Buffer.alloc(LARGE_BYTES, "x")), chunk);
        await exchange.final();
        await exchange.end();
        return statuses(exchange, [100, 413]) ?? ended(exchange);
      }),
  },
  { id: "404", title: "404 at once", run: (peer) => atOnce(peer, "/nowhere", peer.upload.missing) },
  {
    id: "throw",
    title: "error at once",
    run: (peer) => atOnce(peer, peer.upload.pathOf("broken"), peer.upload.thrown, "broken"),
  },
  {
    id: "early",
    title: "early response at once",
    run: (peer) => atOnce(peer, peer.upload.pathOf("early"), peer.upload.early, "early"),
  },
  {
    id: "next request",
    title: "next request",
    run: (peer) =>
      withExchange(peer, async (exchange) => {
        const failed = await upload(exchange, peer, "first");
        if (failed) return failed;
        return upload(exchange, peer, "second", 1);
      }),
  },
  {
    id: "unknown",
    title: "unknown expectation",
    run: (peer) =>
      withExchange(peer, async (exchange) => {
        exchange.send(head(peer, "unknown", ["Expect: size-class=small", "Content-Length: 5"]));
        await exchange.final();
        await exchange.end();
        return statuses(exchange, [417]) ?? ended(exchange);
      }),
  },
  { id: "pipelined", title: "pipelined", run: async (peer) => (await eager(peer)) ?? hidden(peer) },
  {
    id: "next connection",
    title: "next connection",
    run: async (peer) => (await withExchange(peer, (exchange) => upload(exchange, peer, "last"))) ?? peer.faultOf(),
  },
];

const EXPECT = "Expect: 100-continue";

async function withExchange(peer, use) {
  const exchange = await Exchange.open(peer);
  try {
    return await use(exchange);
  } finally {
    exchange.close();
  }
}

function head({ upload: { method, type, pathOf } }, name, fields, path = pathOf(name)) {
  return [`${method} ${path} HTTP/1.1`, "Host: uploads.test", `Content-Type: ${type}`, ...fields, "", ""].join("\r\n");
}

const length = (content) => `Content-Length: ${content.length}`;
const encoded = (peer, name, content = smallOf(peer)) => Buffer.from(peer.upload.encode(name, content));
const digest = (content) => createHash("sha256").update(content).digest("hex");

/** One upload that waits for its 100. `count`: how many came before on this connection. */
async function upload(exchange, peer, name, count = 0) {
  const body = encoded(peer, name);
  const before = exchange.statuses.length;
  exchange.send(head(peer, name, [EXPECT, length(body)]));
  await exchange.until(() => exchange.statuses.length > before);
  exchange.send(body);
  await exchange.final(count + 1);
  const each = [100, peer.upload.accepted];
  const times = Array(count + 1);
  return statuses(exchange, times.fill(each).flat()) ?? digests(exchange, times.fill(smallOf(peer)));
}

/** A response that needs no content: it must come before any was sent. */
function atOnce(peer, path, status, name = "missing") {
  return withExchange(peer, async (exchange) => {
    const content = encoded(peer, name);
    exchange.send(head(peer, name, [EXPECT, length(content)], path));
    const isInTime = await exchange.until(() => exchange.statuses.length > 0);
    if (exchange.finals.length === 0) exchange.send(content);
    await exchange.final();
    if (!isInTime) return `${exchange.statuses.join(", ") || "nothing"}, only behind the content`;
    return statuses(exchange, [status]);
  });
}

/** Sends three requests in one go, without waiting for anything. */
function eager(peer) {
  return withExchange(peer, async (exchange) => {
    const { accepted, missing } = peer.upload;
    const [one, two] = [smallOf(peer), smallOf(peer).subarray(1)];
    const [first, second] = [encoded(peer, "one", one), encoded(peer, "two", two)];
    const requests = [
      ...[head(peer, "one", [EXPECT, length(first)]), first],
      ...[head(peer, "two", [length(second)]), second],
      head(peer, "three", ["Content-Length: 0"], "/nowhere"),
    ];
    exchange.send(Buffer.concat(requests.map((each) => Buffer.from(each, "latin1"))));
    await exchange.final(3);
    const wrong = list(exchange.finals) === list([accepted, accepted, missing]) ? undefined : seen(exchange);
    return wrong ?? (exchange.statuses.length > 4 ? seen(exchange) : digests(exchange, [one, two]));
  });
}

/** A request that is hidden in the content of a refused upload must not run. */
function hidden(peer) {
  return withExchange(peer, async (exchange) => {
    const inner = head(peer, "hidden", ["Content-Length: 0"]);
    exchange.send(head(peer, "refused", [EXPECT, `Content-Length: ${LARGE_BYTES}`]) + inner + inner);
    await exchange.final();
    exchange.socket.end();
    await exchange.end();
    return statuses(exchange, [413]) ?? ended(exchange);
  });
}

const list = (numbers) => numbers.join(", ");

function seen({ statuses: all, error }) {
  return list(all) || error || "nothing";
}

function statuses(exchange, expected) {
  return list(exchange.statuses) === list(expected) ? undefined : seen(exchange);
}

function digests({ text }, contents) {
  const found = [...text.matchAll(/[0-9a-f]{64}/g)].map(([hex]) => hex);
  return list(found) === list(contents.map(digest)) ? undefined : "other content";
}

function ended({ hasEnded, error }) {
  if (error) return `${error} behind the response`;
  return hasEnded ? undefined : "the connection stays open";
}
