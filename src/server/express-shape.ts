import type { IncomingMessage, ServerResponse } from "node:http";

interface ExpressFields {
  next?: unknown;
  baseUrl?: unknown;
  originalUrl?: unknown;
  params?: unknown;
  res?: unknown;
  _parsedUrl?: unknown;
  locals?: unknown;
}

/** Whether a listener is an Express application. Only those have the properties `request` and `response`. */
export function isExpress(listener: object): boolean {
  return "request" in listener && "response" in listener;
}

/**
 * Gives a request and its response the properties that Express is about to set, with the value `undefined`.
 *
 * Express changes the prototypes of both. In Node 20 and 22, V8 makes a separate hidden class for each object that gets
 * a property after such a change. All code that reads the object then misses its inline caches, Node's included: a third
 * of the cost of an upload. Properties that exist before the change keep one class for all objects.
 *
 * Only properties that Express always sets are added, because other code tests for the rest: `route` means that a route
 * has matched, and `query` has a getter. Wire test "responses behind Express share one hidden class".
 */
export function keepShape(req: IncomingMessage & ExpressFields, res: ServerResponse & ExpressFields): void {
  req.next ??= undefined;
  req.baseUrl ??= undefined;
  req.originalUrl ??= undefined;
  req.params ??= undefined;
  req.res ??= undefined;
  req._parsedUrl ??= undefined;
  res.locals ??= undefined;
  // Node keeps these on the prototype until they are set.
  const { statusCode, statusMessage } = res;
  res.statusCode = statusCode;
  res.statusMessage = statusMessage;
}
