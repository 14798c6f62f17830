// What Express does while the client withholds its content: docs/facts.md, "Express while a 100 is withheld".
// Needs the development dependencies.
import * as http from "node:http";
import express5 from "express";
import express4 from "express4";
import { closeAll, connect, fact, listen, statusesOf, until } from "./fact.mjs";

const HEAD =
  "PUT / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n";
const WAIT_MS = 1_000;

const AT_ONCE = {
  "res.status(417).end()": (app) => app.use((_req, res) => res.status(417).end()),
  "an error handler of its own": (app) => {
    app.use((_req, _res, next) => next(new Error("no")));
    app.use((_error, _req, res, _next) => res.status(500).end());
  },
};
const LATE = {
  "next(error)": (app) => app.use((_req, _res, next) => next(new Error("no"))),
  "the 404 of a route that does not exist": () => {},
  "express.json({ limit })": (app, express) => app.use(express.json({ limit: 10 })),
};

async function firstStatus(express, use, hook = () => {}) {
  const app = express().set("env", "test");
  use(app, express);
  const server = http.createServer(app);
  server.on("checkContinue", (req, res) => {
    hook(req, res);
    app(req, res);
  });
  const wire = await connect(await listen(server));
  wire.socket.write(HEAD);
  await until(() => wire.text !== "", WAIT_MS);
  wire.socket.destroy();
  return statusesOf(wire)[0] ?? "nothing";
}

// The hook that is often suggested: a 100 as soon as anybody reads.
function continueOnRead(req, res) {
  const read = req._read;
  req._read = function (size) {
    req._read = read;
    res.writeContinue();
    read.call(this, size);
  };
}

for (const [name, express] of Object.entries({ "Express 4": express4, "Express 5": express5 })) {
  for (const [way, use] of Object.entries(AT_ONCE)) {
    const seen = await firstStatus(express, use);
    fact(`${name}: ${way} answers at once`, seen >= 400, seen);
  }
  for (const [way, use] of Object.entries(LATE)) {
    const seen = await firstStatus(express, use);
    fact(`${name}: ${way} answers nothing until the client gives up`, seen === "nothing", seen);
    const hooked = await firstStatus(express, use, continueOnRead);
    fact(`${name}: ${way} gets a 100 from a hook on the first read`, hooked === 100, hooked);
  }
}
closeAll();
