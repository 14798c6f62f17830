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
 * that Express has getters for must stay out, and what somebody else has put there stays. Wire test "responses behind
 * Express share one hidden class".
 */
export function keepShape(req: IncomingMessage & Hung, res: ServerResponse & Hung): void {
  if (!("next" in req)) req.next = undefined;
  if (!("baseUrl" in req)) req.baseUrl = undefined;
  if (!("originalUrl" in req)) req.originalUrl = undefined;
  if (!("params" in req)) req.params = undefined;
  if (!("route" in req)) req.route = undefined;
  if (!("res" in req)) req.res = undefined;
  if (!("_parsedUrl" in req)) req._parsedUrl = undefined;
  if (!("locals" in res)) res.locals = undefined;
  // Values that Node keeps on the prototype until somebody sets them.
  const { statusCode, statusMessage } = res;
  res.statusCode = statusCode;
  res.statusMessage = statusMessage;
}
