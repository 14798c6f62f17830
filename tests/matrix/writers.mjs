// Ways to write the final status. `begin` writes the head where that can be done alone, `finish` the rest.

import { OutgoingMessage, ServerResponse } from "node:http";
import { Http2ServerResponse } from "node:http2";
import { PassThrough } from "node:stream";

/** The status of the application. */
export const STATUS = 201;
const BODY = "done";

const none = () => {};
const endAlone = {
  begin: none,
  finish(res) {
    res.statusCode = STATUS;
    res.end(BODY);
  },
};

/** By name: `{ begin(res), finish(res) }`. */
export const WRITERS = {
  end: endAlone,
  // What these five do to a response is done before the application gets it.
  subclass: endAlone,
  "patched prototype": endAlone,
  "wrapped end": endAlone,
  "deferred end": endAlone,
  "end once": endAlone,
  writeHead: {
    begin: (res) => res.writeHead(STATUS, { "Content-Type": "text/plain" }),
    finish: (res) => res.end(BODY),
  },
  write: {
    begin(res) {
      res.statusCode = STATUS;
      res.write(BODY.slice(0, 2));
    },
    finish: (res) => res.end(BODY.slice(2)),
  },
  flushHeaders: {
    begin(res) {
      res.statusCode = STATUS;
      res.flushHeaders();
    },
    finish: (res) => res.end(BODY),
  },
  "stream.pipe(res)": {
    begin(res) {
      res.statusCode = STATUS;
      const source = new PassThrough();
      SOURCES.set(res, source);
      source.write(BODY.slice(0, 2));
      source.pipe(res);
    },
    finish: (res) => SOURCES.get(res).end(BODY.slice(2)),
  },
  respond: {
    begin({ stream }) {
      if (stream.destroyed || stream.headersSent) return;
      SOURCES.set(stream, stream);
      stream.respond({ ":status": STATUS });
    },
    finish: ({ stream }) => SOURCES.get(stream)?.end(BODY),
  },
};

const SOURCES = new WeakMap();

/** Classes of responses that set a field as late as they can. */
export class LateResponse extends ServerResponse {
  end(...args) {
    return endWithField(this, super.end, args);
  }
}

export class LateHttp2Response extends Http2ServerResponse {
  end(...args) {
    return endWithField(this, super.end, args);
  }
}

/** Patches the prototypes, as monitors do. Acts on responses to requests that have `X-Patched` alone. */
export function patchPrototypes() {
  for (const { prototype } of [OutgoingMessage, Http2ServerResponse]) {
    const { end } = prototype;
    prototype.end = function (...args) {
      return this.req?.headers["x-patched"] ? endWithField(this, end, args) : Reflect.apply(end, this, args);
    };
  }
}

/** Wraps `end` where the writer says so, as a middleware does that has something to do before a response ends. */
export function wrapEnd(res, writer) {
  const { end } = res;
  const last = (args) => endWithField(res, end, args);
  switch (writer) {
    case "wrapped end":
      res.end = (...args) => last(args);
      break;
    case "deferred end":
      res.end = (...args) => {
        res.end = end;
        setImmediate(last, args);
        return res;
      };
      break;
    // express-session
    case "end once": {
      let hasEnded = false;
      res.end = (...args) => {
        if (hasEnded) return false;
        hasEnded = true;
        setImmediate(last, args);
        return res;
      };
    }
  }
}

function endWithField(res, end, args) {
  if (!res.headersSent) res.setHeader("X-Late", "1");
  return Reflect.apply(end, res, args);
}
