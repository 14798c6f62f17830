import { type HttpRequest, type HttpResponse, http2Stream } from "../http/message.js";
import { hasSentContinue } from "../node/response.js";
import { attachForGuard, isSettled, serverOf } from "../server/attach.js";
import type { AttachableServer } from "../server/options.js";
import { asError } from "../support/errors.js";
import type { GuardSettings } from "./options.js";

/** Returns a function that attaches the server of the first request, if nobody has attached or detached it. */
export function autoAttacher(settings: GuardSettings): (req: HttpRequest, res: HttpResponse) => void {
  let settled: AttachableServer | undefined;
  return (req, res) => {
    const server = serverOf(req);
    if (server === undefined || server === settled) return;
    settled = server;
    if (isSettled(server)) return;
    try {
      attachForGuard(server, settings.context);
    } catch (error) {
      settings.logger.error({ event: "expectation.attach", err: error }, `not attached: ${asError(error).message}`);
      return;
    }
    if (req.headers.expect === undefined || !hasSentContinue(res, http2Stream(req))) return;
    settings.logger.warn(
      { event: "expectation.attach" },
      "Node had sent this first request's 100 Continue before any guard ran; attach the server when it starts: attach(app.listen(port))",
    );
  };
}
