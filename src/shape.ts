import type { IncomingMessage, ServerResponse } from "node:http";

interface Hung {
  next?: unknown;
  baseUrl?: unknown;
  originalUrl?: unknown;
  params?: unknown;
  route?: unknown;
  res?: unknown;
  _parsedUrl?: unknown;
  locals?: unknown;
}

/**
 * Gives a request and its response the properties that Express is about to hang on them, with no value, before it sees
 * them.
 *
 * Express changes the prototypes of both. In Node 20 and 22, V8 makes a hidden class of its own for an object that gets
 * a property after such a change, and whatever looks at it from then on, Node as well, misses its inline caches: a
 * third of what an upload costs. Properties that are there before the change leave one class for all. `query` and others
 * that Express has getters for must stay out. Wire test "responses behind Express share one hidden class".
 */
export function keepShape(req: IncomingMessage & Hung, res: ServerResponse & Hung): void {
  req.next ??= undefined;
  req.baseUrl ??= undefined;
  req.originalUrl ??= undefined;
  req.params ??= undefined;
  req.route ??= undefined;
  req.res ??= undefined;
  req._parsedUrl ??= undefined;
  res.locals ??= undefined;
  // Values that Node keeps on the prototype until somebody sets them.
  const { statusCode, statusMessage } = res;
  res.statusCode = statusCode;
  res.statusMessage = statusMessage;
}
