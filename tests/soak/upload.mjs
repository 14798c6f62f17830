// npm run soak:upload -- [--mb 5120] [--https]
//
// A stream of 5 GiB by `express-expectations/client`, repeated as SDKs do: the server refuses it twice with 503 before the
// content, and then takes it. Exit code 1 if the client's memory grows by more than 80 MiB, or if something is lost.
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { parseArgs } from "node:util";
import { attach, expectations, refuse, silent } from "express-expectations";
import { upload } from "express-expectations/client";

const MOST_GROWTH_MIB = 80;
const MIB = 2 ** 20;
const PIECE = Buffer.alloc(65_536, "x");

const { values } = parseArgs({
  options: {
    mb: { type: "string", default: "5120" },
    https: { type: "boolean", default: false },
    serve: { type: "boolean", default: false },
  },
});
const bytes = Number(values.mb) * MIB;
let opened = 0;

if (values.serve) await serve();
else await send();

async function serve() {
  let refusals = 2;
  const guard = expectations({ policies: [() => refusals-- <= 0 || refuse(503)], logger: silent });
  const application = (req, res) =>
    guard(req, res, () => {
      let count = 0;
      req.on("data", (chunk) => {
        count += chunk.length;
      });
      req.on("end", () => res.writeHead(201).end(String(count)));
    });
  const server = values.https ? https.createServer(certificate(), application) : http.createServer(application);
  attach(server, { logger: silent });
  await once(server.listen(0, "127.0.0.1"), "listening");
  process.send(server.address().port);
  process.once("disconnect", () => process.exit());
}

// The certificate of the other tests: it is text within a TypeScript file.
function certificate() {
  const text = readFileSync(new URL("../helpers/certificate.ts", import.meta.url), "utf8");
  const [key, cert] = text.match(/-----BEGIN [^`]*-----END [A-Z ]*-----/g).map((pem) => `${pem}\n`);
  return { key, cert };
}

async function* content() {
  opened++;
  for (let sent = 0; sent < bytes; sent += PIECE.length) yield PIECE;
}

async function send() {
  const args = ["--serve", ...(values.https ? ["--https"] : [])];
  const server = fork(new URL(import.meta.url), args, { stdio: "inherit" });
  const [port] = await once(server, "message");
  const url = `${values.https ? "https" : "http"}://127.0.0.1:${port}/`;
  const options = { body: content, headers: { "Content-Length": bytes }, tls: { rejectUnauthorized: false } };
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 20);
  const startedAt = performance.now();
  const results = [];
  while (results.length < 5 && results.at(-1)?.status !== 201) results.push(await upload(url, options));
  clearInterval(watch);
  const seconds = (performance.now() - startedAt) / 1_000;
  const growth = (most - before) / MIB;
  const last = results.at(-1);
  const statuses = results.map(({ status }) => status).join();
  const isGood =
    statuses === "503,503,201" && last.sentBytes === bytes && last.body.toString() === String(bytes) && opened === 1;
  console.log(
    `Node ${process.versions.node}, ${values.https ? "https" : "http"}: ${values.mb} MiB in ${seconds.toFixed(1)} s`,
  );
  console.log(
    `statuses ${statuses}, the stream opened ${opened} times, ${last.sentBytes} bytes sent: ${isGood ? "as it should" : "FAILED"}`,
  );
  console.log(
    `memory of the client: ${(before / MIB).toFixed(1)} MiB, at most ${growth.toFixed(1)} MiB more (goal ${MOST_GROWTH_MIB})`,
  );
  process.exitCode = isGood && growth <= MOST_GROWTH_MIB ? 0 : 1;
  server.disconnect();
}
