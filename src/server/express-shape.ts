import type { IncomingMessage, ServerResponse } from "node:http";

interface Hung {
  next?: unknown;
  baseUrl?: unknown;
  originalUrl?: unknown;
  params?: unknown;
  res?: unknown;
  _parsedUrl?: unknown;
  locals?: unknown;
}

/** Whether a server's listener is an Express application: only those carry the prototypes of its requests and responses. */
export function isExpress(listener: object): boolean {
  return "request" in listener && "response" in listener;
}

/**
 * Gives a request and its response the properties that Express is about to hang on them, with no value, before it sees
 * them.
 *
 * Express changes the prototypes of both. In Node 20 and 22, V8 makes a hidden class of its own for an object that gets
 * a property after such a change, and whatever looks at it from then on, Node as well, misses its inline caches: a
 * third of what an upload costs. Properties that are there before the change leave one class for all. Only those that
 * Express sets in any case, since others ask whether they are there: not `route`, which means that one has matched, nor
 * `query`, which it has a getter for. Wire test "responses behind Express share one hidden class".
 */
export function keepShape(req: IncomingMessage & Hung, res: ServerResponse & Hung): void {
  req.next ??= undefined;
  req.baseUrl ??= undefined;
  req.originalUrl ??= undefined;
  req.params ??= undefined;
  req.res ??= undefined;
  req._parsedUrl ??= undefined;
  res.locals ??= undefined;
  // Values that Node keeps on the prototype until somebody sets them.
  const { statusCode, statusMessage } = res;
  res.statusCode = statusCode;
  res.statusMessage = statusMessage;
}
