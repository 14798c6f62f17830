import { readFileSync } from "node:fs";
import { createSecureServer } from "node:http2";

// Without this package: a 100 that is written late, before or after somebody begins to read.
const pems = { key: readFileSync(process.env.KEY), cert: readFileSync(process.env.CERT) };
const server = createSecureServer(pems, (_req, res) => res.end("warm"));
server.on("checkContinue", (req, res) => {
  const read = () => req.on("data", () => {});
  if (req.url === "/read-first") read();
  setTimeout(() => {
    res.writeContinue();
    if (req.url === "/read-last") read();
  }, 200);
});
server.listen(process.env.PORT, "127.0.0.1");
