import type { ServerResponse } from "node:http";

const WRITERS = [
  "addTrailers",
  "appendHeader",
  "flushHeaders",
  "removeHeader",
  "setHeader",
  "setHeaders",
  "writeContinue",
  "writeEarlyHints",
  "writeHead",
  // An old alias of writeHead, until Node 24.
  "writeHeader",
  // Since Node 24.
  "writeInformation",
  "writeProcessing",
] as const;

/**
 * Takes a response that has been sent out of the application's hands: from here on its methods do nothing.
 *
 * Otherwise Node would throw at an application that goes on writing, often outside of any request handler, and
 * finalhandler would destroy the socket on which the refusal still lingers.
 */
export function disarm(res: ServerResponse): void {
  const define = (name: string, value: unknown) =>
    Object.defineProperty(res, name, { value, configurable: true, writable: true });
  const status = res.statusCode;
  for (const name of WRITERS) if (name in res) define(name, () => res);
  define("destroy", () => res);
  define("write", (...args: unknown[]) => callBack(args, true));
  define("end", (...args: unknown[]) => callBack(args, res));
  // A wrapper that has kept the `end` from before calls it still. Node reports that as an error, which ends the process
  // where nobody listens.
  res.on?.("error", ignore);
  Object.defineProperty(res, "statusCode", { get: () => status, set() {}, configurable: true });
  // Access logs read `headersSent` while `finish` is emitted, and must see that it was sent.
  let isFinishing = false;
  Object.defineProperty(res, "headersSent", { get: () => isFinishing, configurable: true });
  // Test doubles of a response may have no such method.
  res.prependOnceListener?.("finish", () => {
    isFinishing = true;
    process.nextTick(() => {
      isFinishing = false;
    });
  });
}

/** The same for a response whose head is not out yet, because a wrapper of `end` calls it later. */
export function disarmWithHead(res: ServerResponse, status: number): void {
  const { writeHead } = res;
  res.writeHead = () => {
    Reflect.apply(writeHead, res, [status]);
    disarm(res);
    return res;
  };
}

function ignore(): void {}

function callBack<T>(args: unknown[], result: T): T {
  const callback = args.at(-1);
  if (typeof callback === "function") process.nextTick(callback as () => void);
  return result;
}
