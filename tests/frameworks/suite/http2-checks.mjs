// The checks on HTTP/2: the same names, on streams of one session.
import { createHash, randomBytes } from "node:crypto";
import * as http2 from "node:http2";
import { patiently } from "../../helpers/patience.mjs";

const DEADLINE_MS = 5_000;
const SMALL = randomBytes(48 * 1024);
const LARGE_BYTES = 2 * 2 ** 20;
const digest = createHash("sha256").update(SMALL).digest("hex");

/** Runs all checks on one session; returns what came instead, by the name of the check. */
export async function runHttp2Checks(peer) {
  const session = http2.connect(`https://127.0.0.1:${peer.port}`, { rejectUnauthorized: false });
  session.on("error", () => {});
  const ask = (path, fields, ...content) => exchange(session, path, fields, content);
  const found = {};
  try {
    const stored = () => ask("/files/a", { expect: "100-continue", "content-length": SMALL.length }, SMALL);
    found.accepted = differs(await stored(), "100, 201", digest);
    found.plain = differs(await ask("/files/a", { "content-length": SMALL.length }, SMALL), "201", digest);
    found.refused = differs(await ask("/files/a", { expect: "100-continue", "content-length": LARGE_BYTES }), "413");
    found["plain refused"] = differs(await ask("/files/a", { "content-length": LARGE_BYTES }, SMALL), "413");
    const pieces = Array(LARGE_BYTES / 2 ** 15).fill(Buffer.alloc(2 ** 15));
    found["cut off"] = differs(await ask("/files/a", { expect: "100-continue" }, ...pieces), "100, 413");
    for (const [id, path, status] of [
      ["404", "/nowhere", "404"],
      ["throw", "/files/broken", "500"],
      ["early", "/files/early", "201"],
    ]) {
      found[id] = differs(await ask(path, { expect: "100-continue", "content-length": SMALL.length }), status);
    }
    found["next request"] = differs(await stored(), "100, 201", digest);
    found.unknown = differs(await ask("/files/a", { expect: "size-class=small", "content-length": 5 }), "417");
    const three = await Promise.all([stored(), ask("/nowhere", {}, ""), stored()]);
    found.pipelined = three.map((each, i) => differs(each, i === 1 ? "404" : "100, 201")).find(Boolean);
  } finally {
    session.destroy();
  }
  const next = http2.connect(`https://127.0.0.1:${peer.port}`, { rejectUnauthorized: false });
  next.on("error", () => {});
  const last = await exchange(next, "/files/a", { "content-length": SMALL.length }, [SMALL]);
  next.destroy();
  found["next connection"] = differs(last, "201", digest) ?? peer.faultOf();
  return found;
}

/** One request. Content that waits for a 100 is sent when the 100 comes; without one it is not sent at all. */
async function exchange(session, path, fields, content) {
  const seen = { statuses: [], text: "", isOver: false };
  const stream = session.request({ ":method": "PUT", ":path": path, ...fields }, { endStream: content[0] === "" });
  const length = content.reduce((sum, piece) => sum + piece.length, 0);
  const isWhole = (fields["content-length"] ?? length) === length;
  const send = async () => {
    for (const piece of content) {
      if (stream.destroyed || seen.statuses.some((status) => status >= 200)) return;
      if (!stream.write(piece)) await patiently(() => !stream.writableNeedDrain || stream.destroyed, DEADLINE_MS);
    }
    // A client that has declared more would be at fault.
    if (isWhole) stream.end();
  };
  stream.on("continue", () => {
    seen.statuses.push(100);
    void send();
  });
  stream.on("response", (headers) => seen.statuses.push(headers[":status"]));
  stream.setEncoding("utf8").on("data", (text) => {
    seen.text += text;
  });
  stream.on("error", (error) => {
    seen.error = error.code;
  });
  const over = () => {
    seen.isOver = true;
  };
  stream.on("end", over).on("close", over);
  if (fields.expect === undefined && content[0] !== "") void send();
  await patiently(() => seen.isOver, DEADLINE_MS);
  stream.close();
  return seen;
}

function differs({ statuses, text, error }, expected, body) {
  const found = statuses.join(", ");
  if (found !== expected) return found || error || "nothing";
  return body && text !== body ? "other content" : undefined;
}
