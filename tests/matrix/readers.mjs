// Ways to read the content of a request. Each calls `done(how, bytes)` when it gets no more: this must come, whatever
// happens to the request.
import { pipeline, Writable } from "node:stream";
import express from "express";

function parserOf(parser) {
  return (req, res, count, done) => {
    // raw-body does not call back when a request closes without an error.
    req.on("close", () => setImmediate(done, "close"));
    parser(req, res, (error) => {
      const { body } = req;
      if (!error && body !== undefined) count(Buffer.isBuffer(body) ? body.length : JSON.stringify(body).length);
      done(error ? nameOf(error) : "end");
    });
  };
}

const ALL_TYPES = { type: () => true, limit: "1mb" };

/** By name: `read(req, res, count, done)`. */
export const READERS = {
  resume(req, _res, _count, done) {
    endings(req, done);
    req.resume();
  },
  // Without a listener of `error`: an error that nobody hears must not be raised.
  data(req, _res, count, done) {
    req.on("data", ({ length }) => count(length));
    req.on("end", () => done("end"));
    req.on("close", () => done("close"));
  },
  readable(req, _res, count, done) {
    req.on("readable", () => {
      for (let chunk = req.read(); chunk !== null; chunk = req.read()) count(chunk.length);
    });
    endings(req, done);
  },
  "async iterator": (req, _res, count, done) => iterate(req, count, done),
  pipe(req, _res, count, done) {
    endings(req, done);
    req.pipe(sink(count));
  },
  pipeline(req, _res, count, done) {
    pipeline(req, sink(count), (error) => done(error ? nameOf(error) : "end"));
  },
  "express.raw": parserOf(express.raw(ALL_TYPES)),
  "express.json": parserOf(express.json(ALL_TYPES)),
  "req.stream data": ({ stream }, _res, count, done) => READERS.data(stream, undefined, count, done),
  "req.stream iterator": ({ stream }, _res, count, done) => iterate(stream, count, done),
};

function endings(source, done) {
  source.on("end", () => done("end"));
  source.on("error", (error) => done(nameOf(error)));
  source.on("close", () => done("close"));
}

async function iterate(source, count, done) {
  try {
    for await (const chunk of source) count(chunk.length);
    done("end");
  } catch (error) {
    done(nameOf(error));
  }
}

function sink(count) {
  return new Writable({
    write(chunk, _encoding, written) {
      count(chunk.length);
      written();
    },
  });
}

function nameOf(error) {
  return error.code ?? error.message;
}
