import type { IncomingMessage } from "node:http";

/**
 * Whether a read throws the content away.
 *
 * A stream that flows without a listener for its content discards it: finalhandler and body-parser call `req.resume()`
 * for that. A bare `read()` leaves `readableFlowing` at null and wants the bytes.
 */
export function isDiscarding(req: IncomingMessage): boolean {
  return req.readableFlowing === true && !hasContentListener(req);
}

/** Whether somebody listens for the content itself. */
export function hasContentListener(req: IncomingMessage): boolean {
  return req.listenerCount("data") > 0 || req.listenerCount("readable") > 0;
}
