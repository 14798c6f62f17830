// Clients that all come at once: each waits for its 100 Continue, and then sends its file in pieces.
import { request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

const PIECE = Buffer.alloc(16 * 1024, "x");
const PIECES = 16;

const [url = "http://127.0.0.1:3000", count = "100", pieceMs = "50"] = process.argv.slice(2);

let sending = 0;
let most = 0;
const startedAt = performance.now();
const results = await Promise.all(Array.from({ length: Number(count) }, (_, i) => upload(`file-${i}`)));

const waits = results.map(({ waitedMs }) => waitedMs).sort((a, b) => a - b);
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
console.log(`${results.filter(({ status }) => status === 201).length} of ${count} uploads stored`);
console.log(`${results.filter(({ status }) => status === 503).length} refused with 503`);
console.log(`${most} at the same time at most`);
console.log(`waited ${seconds(waits[0])} at least, ${seconds(waits.at(-1))} at most`);
console.log(`all done after ${seconds(performance.now() - startedAt)}`);

async function upload(name) {
  const began = performance.now();
  const req = request(new URL(`/files/${name}`, url), {
    method: "PUT",
    headers: { Expect: "100-continue", "Content-Length": PIECE.length * PIECES },
  });
  // Node sends the head now, and the content when the server asks for it.
  req.flushHeaders();
  const answered = new Promise((resolve, reject) => req.on("response", resolve).on("error", reject));
  const isAsked = await Promise.race([
    new Promise((resolve) => req.on("continue", () => resolve(true))),
    answered.then(() => false),
  ]);
  const waitedMs = performance.now() - began;
  if (isAsked) {
    most = Math.max(most, ++sending);
    for (let i = 0; i < PIECES; i++) {
      await pause(Number(pieceMs));
      req.write(PIECE);
    }
    sending--;
    req.end();
  }
  const response = await answered;
  response.resume();
  if (!isAsked) req.destroy();
  return { status: response.statusCode, waitedMs };
}
