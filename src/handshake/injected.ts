import type { IncomingMessage, ServerResponse } from "node:http";

type Listener = (this: ServerResponse) => void;

/**
 * Calls `onEnd` when the response of an injected request has ended.
 *
 * Only a server emits `close` for a response. Without it, other programs emit `finish`, and the default test doubles of
 * node-mocks-http emit nothing.
 */
export function watchInjected(req: IncomingMessage, res: ServerResponse, onEnd: Listener): void {
  // Serverless adapters construct the response with another object than the request.
  (res as { req: IncomingMessage }).req = req;
  // Later: with a socket that writes at once, `end()` emits `finish` before it sets `writableEnded`.
  res.on("finish", () => process.nextTick(() => onEnd.call(res)));
  if (typeof res.listenerCount === "function") return;
  const { end } = res;
  res.end = function (this: ServerResponse, ...args: unknown[]): ServerResponse {
    const result = Reflect.apply(end, this, args);
    onEnd.call(res);
    return result;
  } as ServerResponse["end"];
}
