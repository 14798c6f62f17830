// A server that refuses, closes at once, and has nothing more to do; run by tests/wire/linger-end.test.ts in a process of
// its own. The client pushes for a while and reads late. Prints what it saw, and whether close() called back.

import * as http from "node:http";
import { Worker } from "node:worker_threads";
import { attach, silent } from "./src/index.js";

let isClosed = false;
let status;
const server = attach(
  http.createServer((_req, res) => {
    res.statusCode = 413;
    res.end("no");
    res.once("finish", () =>
      server.close(() => {
        isClosed = true;
      }),
    );
  }),
  { logger: silent },
);
process.on("exit", () => console.log(JSON.stringify({ status, isClosed })));

// A thread that keeps nothing alive stands for a client somewhere else.
const client = `
const { parentPort, workerData } = require("node:worker_threads");
const socket = require("node:net").connect(workerData, "127.0.0.1");
let text = "";
socket.on("error", () => {});
socket.write("PUT / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 8000000\\r\\n\\r\\n");
socket.pause();
let sent = 0;
(function push() {
  if (sent < 8000000) {
    sent += 100000;
    socket.write(Buffer.alloc(100000), () => setTimeout(push, 5));
  } else socket.resume();
})();
socket.on("data", (piece) => { text += piece; });
socket.on("end", () => { parentPort.postMessage(Number(text.slice(9, 12))); socket.end(); });
`;
server.listen(0, "127.0.0.1", () => {
  const worker = new Worker(client, { eval: true, workerData: server.address().port });
  worker.unref();
  worker.on("message", (received) => {
    status = received;
  });
});
