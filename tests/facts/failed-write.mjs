// Responses that a failed write takes away: docs/facts.md, "Responses behind a failed write".
import * as http from "node:http";
import * as net from "node:net";
import { Duplex } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { closeAll, fact, listen } from "./fact.mjs";

const RUNS = 100;
const REFUSAL = "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/** Asks for content, refuses when some of it has come, and resets the connection. */
const port = await listen(
  net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write("HTTP/1.1 100 Continue\r\n\r\n");
      socket.once("data", () => {
        socket.pause();
        socket.write(REFUSAL, () => socket.resetAndDestroy());
      });
    });
  }),
);

/** Uploads by Node's own client, in pieces that timers bring. Returns the status, or the code of the error. */
function upload() {
  return new Promise((resolve) => {
    const headers = { Expect: "100-continue", "Transfer-Encoding": "chunked" };
    const req = http.request({ port, host: "127.0.0.1", method: "PUT", headers, agent: false });
    let isOver = false;
    const over = (result) => {
      isOver = true;
      req.destroy();
      resolve(result);
    };
    req.on("error", ({ code }) => over(code));
    req.on("response", ({ statusCode }) => over(statusCode));
    req.on("continue", async () => {
      while (!isOver) {
        for (let i = 0; i < 8 && !isOver; i++) await new Promise((taken) => req.write(Buffer.alloc(16_384), taken));
        await setTimeout(1);
      }
    });
    req.flushHeaders();
  });
}

const seen = {};
for (let i = 0; i < RUNS; i++) {
  const result = await upload();
  seen[result] = (seen[result] ?? 0) + 1;
}
fact("Node's client loses refusals to writes that fail", (seen[413] ?? 0) < RUNS, JSON.stringify(seen));

const dropped = [];
const stream = new Duplex({
  autoDestroy: false,
  read() {},
  write: (_chunk, _encoding, done) => done(new Error("broken")),
});
stream.on("error", () => {});
stream.on("data", (chunk) => dropped.push(chunk));
await new Promise((resolve) => stream.write("x", () => setImmediate(resolve)));
const wasTaken = stream.push("the response");
fact(
  "a stream whose write has failed drops what is pushed",
  !wasTaken && dropped.length === 0,
  `${dropped.length} pieces`,
);
closeAll();
