// The server of a cell: its protocol, the way that a request takes to the application, and the guard.
import * as diagnostics from "node:diagnostics_channel";
import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import { setTimeout as after } from "node:timers/promises";
import express from "express";
import { attach, concurrency, expectations, refuse, silent } from "../../dist/esm/index.js";
import { cert, key } from "../helpers/transports.mjs";
import { LIMIT } from "./content.mjs";
import { READERS } from "./readers.mjs";
import { LateHttp2Response, LateResponse, WRITERS, wrapEnd } from "./writers.mjs";

/** Short, since every cell waits for the last of them. */
const ATTACH = { logger: silent, lingerMs: 400, bodyTimeoutMs: 500 };
const PLACES = 4;
const VERDICT_MS = 4;
const TIMEOUT_MS = 5_000;

/** What happens in the server of one cell. */
export class Observed {
  events = [];
  runs = 0;
  smuggled = 0;
  policies = 0;
  /** How often each `onClose` was called, with what. */
  closes = [];
  reader = undefined;
  bytes = 0;
  /** Settles when the reader gets no more. */
  read = new Promise((resolve) => {
    this.hasRead = resolve;
  });
  /** Names of requests, responses and streams that have not emitted `close`. */
  open = new Set();
  connections = new Set();
  #startedAt = performance.now();

  note(event) {
    this.events.push(`${(performance.now() - this.#startedAt).toFixed(0).padStart(5)} ms  ${event}`);
  }

  /** Waits for `close` of an object of the server. */
  watch(emitter, name, set = this.open) {
    const entry = { name };
    set.add(entry);
    emitter.once("close", () => {
      set.delete(entry);
      this.note(`${name} closed`);
    });
  }
}

const observedOf = new WeakMap();

// Tells of each request and response that Node makes, whoever handles it.
diagnostics.subscribe("http.server.request.start", ({ request, response, server }) => {
  const observed = observedOf.get(server);
  if (!observed || request.url === "/next") return;
  observed.watch(request, "request");
  observed.watch(response, "response");
});

/**
 * Starts the server of a cell.
 *
 * @param isPlain - without this package.
 */
export async function startServer(cell, isPlain) {
  const observed = new Observed();
  const places = concurrency({ limit: PLACES });
  const guard = isPlain
    ? passThrough
    : expectations({ policies: policiesOf(cell, observed, places), logger: silent, policyTimeoutMs: TIMEOUT_MS });
  const application = (req, res) => route(cell, observed, req, res);
  const inner = makeServer(cell, mounted(cell, guard, application, observed));
  if (!isPlain && cell.mount !== "auto-attached")
    attach(inner, cell.mount === "attach" ? { ...ATTACH, guard } : ATTACH);
  const server = cell.way.startsWith("nested") ? frontOf(cell, inner, isPlain) : inner;
  if (cell.way === "stream listener") listenForStreams(cell, observed, inner);
  observedOf.set(server, observed);
  observed.server = inner;
  watchConnections(server, observed);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  let listeners = [];
  return {
    server,
    port: server.address().port,
    observed,
    placesTaken: () => PLACES - placesLeft(places),
    /** Keeps what there is now. */
    begin() {
      listeners = listenersOf(server, inner);
    },
    listenersLeft: () => listenersOf(server, inner).filter((one) => !listeners.includes(one)),
  };
}

function listenersOf(...servers) {
  const names = (server) => server.eventNames().map((name) => `${String(name)} ${server.listenerCount(name)}`);
  return servers.flatMap(names);
}

function policiesOf({ verdict, outcome }, observed, places) {
  const count = (req, upload) => {
    observed.policies++;
    observed.note(`policy asked about ${req.method} ${req.url}`);
    const i = observed.closes.push([]) - 1;
    upload.onClose((end) => {
      observed.closes[i].push(end);
      observed.note(`onClose ${JSON.stringify(end)}`);
    });
    return true;
  };
  const decide = (_req, upload) => {
    if (outcome === "cut off") upload.limitBytes(LIMIT, refuse(413));
    return outcome === "refused" ? refuse(403) : true;
  };
  const later = async (req, upload) => {
    await after(VERDICT_MS);
    return decide(req, upload);
  };
  return [count, places, verdict === "later" ? later : decide];
}

// An upload that takes a place until it is closed.
function placesLeft(places) {
  const closers = [];
  let left = 0;
  const upload = { length: 1, onClose: (callback) => closers.push(callback) };
  while (left < PLACES && places({}, upload) === true) left++;
  for (const close of closers) close();
  return left;
}

function makeServer({ protocol, writer }, listener) {
  const isLate = writer === "subclass";
  const classes = isLate ? { ServerResponse: LateResponse, Http2ServerResponse: LateHttp2Response } : {};
  const options = { ...classes, key, cert };
  switch (protocol) {
    case "http":
      return http.createServer(options, listener);
    case "https":
      return https.createServer(options, listener);
    case "h2c":
      return http2.createServer(options, listener);
    default:
      return http2.createSecureServer(options, listener);
  }
}

function mounted(cell, guard, application, observed) {
  const { mount, way, writer } = cell;
  const wrap = (_req, res, next) => {
    wrapEnd(res, writer);
    next();
  };
  // Behind a middleware the same guard judges the request again.
  const isGuardFirst = way === "re-emitted" && mount === "middleware";
  const behind = isGuardFirst ? rewriting(observed, application) : application;
  const listener =
    mount === "express" ? expressApp(wrap, guard, behind) : chained(wrap, mount !== "attach" && guard, behind);
  return way === "re-emitted" && !isGuardFirst ? rewriting(observed, listener) : listener;
}

function chained(wrap, guard, application) {
  return function listener(req, res) {
    const run = (error) => ended(() => Reflect.apply(application, this, [req, res]), res, error);
    wrap(req, res, () => (guard ? guard(req, res, run) : run()));
  };
}

function expressApp(wrap, guard, application) {
  const app = express();
  app.set("env", "test");
  app.use(wrap, guard, application);
  return app;
}

function rewriting(observed, listener) {
  return function rewrite(req, res, next) {
    if (req.url !== "/old") {
      Reflect.apply(listener, this, [req, res, next]);
      return;
    }
    observed.note("emitted again");
    req.url = "/cell";
    observed.server.emit("request", req, res);
  };
}

function ended(run, res, error) {
  if (error === undefined) run();
  else {
    res.statusCode = 500;
    res.end(String(error));
  }
}

function passThrough(_req, _res, next) {
  next();
}

function frontOf(cell, inner, isPlain) {
  const forward = (req, res) => void inner.emit("request", req, res);
  if (isPlain) return makeServer(cell, forward);
  const front = makeServer(cell, cell.way === "nested behind guarded" ? guardedFront(forward) : forward);
  return cell.way === "nested behind attached" ? attach(front, ATTACH) : front;
}

function guardedFront(forward) {
  const guard = expectations({ logger: silent });
  return (req, res) => guard(req, res, () => forward(req, res));
}

function watchConnections(server, observed) {
  server.on("connection", (socket) => observed.watch(socket, "connection", observed.connections));
  server.on("session", (session) => observed.watch(session, "session", observed.connections));
  server.on("stream", (stream) => observed.watch(stream, "stream"));
}

function route(cell, observed, req, res) {
  if (req.url === "/next") {
    res.end("next");
    return;
  }
  if (req.url === "/smuggled") {
    observed.smuggled++;
    res.end("smuggled");
    return;
  }
  observed.runs++;
  observed.note(`application runs ${req.method} ${req.url}`);
  if (res.stream) {
    observed.watch(req, "request");
    observed.watch(res, "response");
  }
  let isClosed = false;
  req.once("close", () => {
    isClosed = true;
  });
  const isReadElsewhere = cell.way === "stream listener";
  const { begin, finish } = WRITERS[cell.writer];
  const read = () => {
    if (isReadElsewhere) return observed.read;
    // Whoever begins to listen behind `close` hears nothing more, with or without this package.
    if (isClosed) return undefined;
    return startReader(cell, observed, req, res);
  };
  void respond(cell, observed, { begin: () => begin(res), finish: () => finish(res), read, res });
}

async function respond({ when, reader }, observed, { begin, finish, read }) {
  if (reader === "nobody") {
    begin();
    finish();
    return;
  }
  switch (when) {
    case "before":
      await read();
      begin();
      finish();
      break;
    case "during":
      void read();
      await turn();
      begin();
      finish();
      break;
    case "behind head":
      begin();
      await turn();
      await turn();
      await read();
      finish();
      break;
    default:
      begin();
      finish();
      await turn();
      await turn();
      await read();
  }
  observed.note("application is done");
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

function startReader(cell, observed, req, res) {
  observed.reader = "reading";
  observed.note("reader begins");
  const count = (length) => {
    observed.bytes += length;
  };
  const done = (how) => {
    if (observed.reader !== "reading") return;
    observed.reader = how;
    observed.note(`reader ended: ${how}, ${observed.bytes} bytes`);
    observed.hasRead();
  };
  READERS[cell.reader](req, res, count, done);
  return observed.read;
}

function listenForStreams(cell, observed, server) {
  server.on("stream", (stream, headers) => {
    if (headers[":path"] === "/next") return;
    startReader(cell, observed, { stream }, undefined);
  });
}
