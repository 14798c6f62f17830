// Pushes content without waiting for anything; prints one line of JSON per exchange.
//
//   node push.mjs http|net URL length|chunked BYTES RUNS PARALLEL
import http from "node:http";
import net from "node:net";

const [client, address, framing, bytes, runs, parallel] = process.argv.slice(2);
const url = new URL(address);
const content = Buffer.alloc(Number(bytes), "x");
const headers = framing === "chunked" ? { "Transfer-Encoding": "chunked" } : { "Content-Length": content.length };

/** `http.request`, which sends all it has as soon as it is connected. */
function byRequest() {
  return new Promise((resolve) => {
    const req = http.request(url, { method: "PUT", headers, agent: false });
    req.on("response", (res) => {
      res.resume();
      res.on("end", () => resolve({ status: res.statusCode }));
      res.on("error", ({ code }) => resolve({ error: code }));
    });
    req.on("error", ({ code }) => resolve({ error: code }));
    req.end(content);
  });
}

/** A raw socket, which reads until the server ends the connection; a reset counts, even behind the status line. */
function bySocket() {
  return new Promise((resolve) => {
    let text = "";
    const socket = net.connect({ port: url.port, host: url.hostname });
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`PUT ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\n${fields.join("")}\r\n`);
    if (framing === "chunked") socket.write(`${content.length.toString(16)}\r\n`);
    socket.write(content);
    if (framing === "chunked") socket.write("\r\n0\r\n\r\n");
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", ({ code }) => resolve({ error: `${code} behind ${JSON.stringify(text.slice(0, 12))}` }));
    socket.on("close", () => resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0) }));
  });
}

const push = client === "http" ? byRequest : bySocket;
let left = Number(runs);
async function work() {
  while (left-- > 0) process.stdout.write(`${JSON.stringify(await push())}\n`);
}
await Promise.all(Array.from({ length: Number(parallel) }, work));
