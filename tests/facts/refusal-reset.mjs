// Refusals that a reset overtakes: docs/facts.md, "Refusals that a reset overtakes".
import { execFile } from "node:child_process";
import * as http from "node:http";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { closeAll, fact, listen } from "./fact.mjs";

const RUNS = 30;
const PUSH = fileURLToPath(new URL("../clients/push.mjs", import.meta.url));
const run = promisify(execFile);

/** How many of the refusals do not reach clients that send 10 MB without waiting. */
async function lost(refuse) {
  const port = await listen(http.createServer(refuse));
  const args = [PUSH, "http", `http://127.0.0.1:${port}/`, "length", "10000000", String(RUNS), "4"];
  const { stdout } = await run(process.execPath, args);
  return stdout
    .trim()
    .split("\n")
    .filter((line) => JSON.parse(line).status !== 403).length;
}

const plain = await lost((_req, res) => void res.writeHead(403, { Connection: "close" }).end());
fact("`res.end()` of a refusal resets a client that is sending", plain > 0, `${plain} of ${RUNS} lost`);

const drained = await lost((req, res) => {
  const { socket } = req;
  socket.destroySoon = () => {
    socket.end();
    socket.resume();
    socket.on("end", () => socket.destroy());
  };
  req.resume();
  res.writeHead(403, { Connection: "close" }).end();
});
fact("half-close and drain loses none", drained === 0, `${drained} of ${RUNS} lost`);
closeAll();
