// The clients of sampled.mjs, in a process of their own: uploads on fresh connections, one after the other on each of so
// many at a time. Gets jobs by IPC: { port, ms, connections }.
import { connect } from "node:net";

const UPLOAD = `PUT /files/7?token=secret HTTP/1.1\r\nHost: bench\r\nExpect: 100-continue\r\nContent-Type: image/png\r\nContent-Length: ${100 * 2 ** 20}\r\nUser-Agent: bench/1.0\r\n\r\n`;

/** Resolves when the client has its refusal; anything else is an error. */
function refusedUpload(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (!text.includes("\r\n\r\n")) return;
      socket.destroy();
      if (text.startsWith("HTTP/1.1 413 ")) resolve();
      else reject(new Error(`no refusal: ${text}`));
    });
    socket.on("error", reject);
    socket.on("end", () => reject(new Error("ended without an answer")));
    socket.write(UPLOAD);
  });
}

async function flood({ port, ms, connections }) {
  const startedAt = performance.now();
  let refused = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() - startedAt < ms) {
        await refusedUpload(port);
        refused++;
      }
    }),
  );
  return { refused, ms: performance.now() - startedAt };
}

process.on("message", async (job) => process.send(await flood(job)));
process.on("disconnect", () => process.exit(0));
