// Helpers of the scripts in this folder. Each script prints the facts of docs/facts.md that it shows, and what it saw.
// The exit code is 1 if one of them did not hold.
import { once } from "node:events";
import * as net from "node:net";
import { setTimeout } from "node:timers/promises";

/** The major version of the Node that runs the script. */
export const LINE = Number(process.versions.node.split(".")[0]);

export const UPLOAD = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
export const PLAIN = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
export const GET = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

/** Prints a fact, whether it holds, and what was seen. */
export function fact(claim, holds, seen) {
  if (!holds) process.exitCode = 1;
  console.log(`${holds ? "holds" : "DOES NOT HOLD"}: ${claim}\n  seen: ${seen}`);
}

const servers = [];

/** Starts a server on a free port. */
export async function listen(server) {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}

export function closeAll() {
  for (const server of servers) {
    server.close();
    server.closeAllConnections?.();
  }
}

/** Opens a raw connection. `text` is everything that has come, `end` is how the connection ended. */
export async function connect(port) {
  const socket = net.connect(port, "127.0.0.1");
  const wire = { socket, text: "", end: "open" };
  socket.on("data", (chunk) => {
    wire.text += chunk.toString("latin1");
  });
  socket.on("end", () => {
    wire.end = "closed";
  });
  socket.on("error", ({ code }) => {
    wire.end = code;
  });
  await once(socket, "connect");
  return wire;
}

/** Sends one packet after another, `pause` apart, and returns the connection after a last pause. */
export async function exchange(port, packets, pause = 200) {
  const wire = await connect(port);
  for (const packet of [packets].flat()) {
    wire.socket.write(packet);
    await setTimeout(pause);
  }
  wire.socket.destroy();
  return wire;
}

/** The statuses of all responses on a connection. */
export function statusesOf({ text }) {
  return [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
}

/** Waits for a condition, for at most `ms`. */
export async function until(condition, ms = 5_000) {
  const since = performance.now();
  while (!condition() && performance.now() - since < ms) await setTimeout(10);
  return condition();
}
