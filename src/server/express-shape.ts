import type { EventEmitter } from "node:events";
import { type IncomingMessage, ServerResponse } from "node:http";

interface ExpressFields {
  next?: unknown;
  baseUrl?: unknown;
  originalUrl?: unknown;
  params?: unknown;
  res?: unknown;
  _parsedUrl?: unknown;
  locals?: unknown;
}

/** Since Node 24, V8 keeps one hidden class by itself. That line of Node brought `writeInformation`. */
const IS_NEEDED = !("writeInformation" in ServerResponse.prototype);

/** Whether requests of a server are better off with {@link keepShape}: one of its listeners is an Express application. */
export function needsShape(server: EventEmitter): boolean {
  return IS_NEEDED && server.listeners("request").some(isExpress);
}

// Only an Express application has both of these properties.
function isExpress(listener: object): boolean {
  return "request" in listener && "response" in listener;
}

/**
 * Gives a request and its response the properties that Express is about to set, with the value `undefined`.
 *
 * Express changes the prototypes of both. In Node 20 and 22, V8 makes a separate hidden class for each object that gets
 * a property after such a change. All code that reads the object then misses its inline caches, Node's included: a third
 * of the cost of an upload. Properties that exist before the change keep one class for all objects. Since Node 24 they cost more than they save.
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
