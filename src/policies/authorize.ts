import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import type { Refusal } from "../http/refusal.js";
import { answerError, optionError } from "../support/errors.js";
import { optionalFunction, requireKnownKeys } from "../support/options.js";
import { named } from "./names.js";
import type { Policy, Upload, Verdict } from "./policy.js";
import { isRefusal, refuse } from "./refuse.js";
import { isThenable } from "./run.js";

/** Options of {@link authorize}. */
export interface AuthorizeOptions {
  /** The `WWW-Authenticate` challenge of a 401, for example `Bearer realm="uploads"`. */
  challenge: string;
}

/** What a check of credentials answers: nobody, somebody who may, somebody who may not. */
export type Authorization = boolean | "forbidden" | Refusal;

/**
 * Refuses an upload by the user's own check of its credentials: 401 with a challenge, or 403.
 *
 * For uploads only, and no access control for reading: requests that are out of a guard's scope never reach it.
 *
 * @param verify - answers `true` to accept, `false` for 401, `"forbidden"` for 403, or its own `refuse(…)`.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` without a function or a challenge.
 * @example authorize((req) => isKnown(req.headers.authorization), { challenge: "Bearer" })
 * @see RFC 9110 §11.6.1, §15.5.2, §15.5.4
 */
export function authorize<Req extends HttpRequest = IncomingMessage>(
  verify: (req: Req, upload: Upload) => Authorization | Promise<Authorization>,
  options: AuthorizeOptions,
): Policy<Req> {
  if (optionalFunction("authorize(verify)", verify) === undefined) {
    throw optionError("authorize(verify)", verify, "a function");
  }
  requireKnownKeys("authorize", options, ["challenge"]);
  const { challenge } = options;
  if (typeof challenge !== "string" || !/^[\w!#$%&'*+.^`|~-]+(?: [\x20-\x7e]+)?$/.test(challenge)) {
    throw optionError(
      "authorize({ challenge })",
      challenge,
      'a challenge, such as "Bearer" or \'Basic realm="uploads"\'',
    );
  }
  const unauthorized = refuse(401, { reason: "credentials are required", headers: { "WWW-Authenticate": challenge } });
  const forbidden = refuse(403, { reason: "these credentials do not allow it" });
  const toVerdict = (answer: unknown): Verdict => {
    if (answer === true || isRefusal(answer)) return answer;
    if (answer === false) return unauthorized;
    if (answer === "forbidden") return forbidden;
    throw answerError("authorize(verify)", answer, 'true, false, "forbidden" or refuse(status)');
  };
  return named("authorize", (req: Req, upload: Upload) => {
    const answer = verify(req, upload);
    return isThenable(answer) ? Promise.resolve(answer).then(toVerdict) : toVerdict(answer);
  });
}
