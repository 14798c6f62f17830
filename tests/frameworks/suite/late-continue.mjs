// Which of two late 100s a runtime sends over HTTP/2. Deno's trouble with them is its own: the recipe is without this
// package. The check fails when that has changed, and the page with it.
import { once } from "node:events";
import * as http2 from "node:http2";

const WAIT_MS = 1_000;

/** @returns what came instead, by the path of the request. */
export async function runLateContinue(peer) {
  const found = {};
  for (const [path, expected] of [
    ["/read-last", true],
    ["/read-first", false],
  ]) {
    const hasCome = await isContinued(peer, path);
    if (hasCome !== expected) found[path] = hasCome ? "the 100 comes" : "no 100";
  }
  return found;
}

async function isContinued({ port }, path) {
  const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.on("error", () => {});
  // What belongs to the beginning of a session would take the 100 along.
  const first = session.request({ ":path": "/" }).resume();
  await once(first, "close");
  const stream = session.request({ ":method": "PUT", ":path": path, expect: "100-continue", "content-length": "5" });
  stream.on("error", () => {});
  try {
    return await new Promise((resolve) => {
      stream.once("continue", () => resolve(true));
      setTimeout(() => resolve(false), WAIT_MS);
    });
  } finally {
    session.destroy();
  }
}
