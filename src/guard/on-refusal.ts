import type { Handshake } from "../handshake/handshake.js";
import type { Refusal } from "../http/refusal.js";
import { callSafely, ExpectationError } from "../support/errors.js";
import type { GuardSettings, Next } from "./options.js";

/**
 * Lets `onRefusal` respond to a refusal. It must respond, or pass an error to `next`, within `policyTimeoutMs`.
 *
 * @param next - of the guard.
 * @param fail - responds if `onRefusal` does neither, or throws.
 */
export function answerByCallback(
  handshake: Handshake,
  settings: GuardSettings,
  refusal: Refusal,
  next: Next,
  fail: (error: Error) => void,
): void {
  const { req, res } = handshake;
  let isHandedOn = false;
  // From here on the callback has the response as well, and may write late.
  handshake.shareResponse();
  const fault = (message: string) => fail(new ExpectationError("ERR_EXPECT_POLICY", message));
  const timer = setTimeout(() => {
    if (!isHandedOn && !res.headersSent && !handshake.isGone) {
      isHandedOn = true;
      fault(`onRefusal did not answer within ${settings.policyTimeoutMs} ms`);
    }
  }, settings.policyTimeoutMs);
  handshake.onClose(() => clearTimeout(timer));
  const nextOnce: Next = (error) => {
    if (isHandedOn) return;
    isHandedOn = true;
    if (error === undefined || error === null || error === "route" || error === "router") {
      fault("onRefusal called next() without an error; it must answer, or pass an error on");
    } else next(error);
  };
  callSafely(() => settings.onRefusal?.(refusal, req as never, res as never, nextOnce), fail);
}
