import type { IncomingMessage } from "node:http";
import type { HttpRequest, Policy, UploadEnd, Verdict } from "../../src/index.js";
import { deferred } from "./deferred.js";

/** A policy that waits for the test's verdict; `asked` tells when it waits, and about which request. */
export function pendingPolicy() {
  const asking = deferred<IncomingMessage>();
  const deciding = deferred<Verdict>();
  const policy: Policy = (req) => {
    asking.resolve(req);
    return deciding.promise;
  };
  return { policy, asked: asking.promise, decide: deciding.resolve };
}

/** A policy that accepts, and keeps how each upload ended. */
export function keptEnds() {
  const ends: UploadEnd[] = [];
  const policy: Policy<HttpRequest> = (_req, { onClose }) => {
    onClose((end) => ends.push(end));
    return true;
  };
  return { ends, policy };
}
