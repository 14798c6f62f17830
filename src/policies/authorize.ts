import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import type { Refusal } from "../http/refusal.js";
import { tokenAt } from "../http/token.js";
import { answerError, optionError } from "../support/errors.js";
import { markFactory } from "../support/factories.js";
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

/** The result of a check of credentials: accepted, missing or wrong (`false`), or not sufficient (`"forbidden"`). */
export type Authorization = boolean | "forbidden" | Refusal;

/**
 * Refuses an upload if a check of its credentials fails: with 401 and a challenge, or with 403.
 *
 * This is not access control for reading: requests outside of the guard's scope, such as a plain `GET`, are not checked.
 *
 * @param verify - returns `true` to accept, `false` for 401, `"forbidden"` for 403, or its own `refuse(…)`.
 * @param options - see {@link AuthorizeOptions}; `challenge` is required.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if `verify` is not a function or `challenge` is not a challenge.
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
  if (!isChallenge(challenge)) {
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

markFactory(authorize, 'authorize(verify, { challenge: "Bearer" })');

// RFC 9110 §11.3: challenge = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
function isChallenge(value: unknown): boolean {
  if (typeof value !== "string") return false;
  const scheme = tokenAt(value, 0);
  return scheme !== "" && /^(?: [\x20-\x7e]+)?$/.test(value.slice(scheme.length));
}
