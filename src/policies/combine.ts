import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import { ExpectationError, optionError } from "../support/errors.js";
import { named, policyName } from "./names.js";
import type { Policy, Upload } from "./policy.js";
import { isRefusal } from "./refuse.js";
import { isThenable } from "./run.js";

/**
 * Accepts if every policy accepts. Otherwise refuses with the first refusal; later policies do not run.
 *
 * @param policies - run in order; at least one.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if there is no policy, or one is not a function.
 * @example allOf(signedIn, mediaTypes(["image/*"]))
 */
export function allOf<Req extends HttpRequest = IncomingMessage>(...policies: Policy<Req>[]): Policy<Req> {
  requirePolicies("allOf", policies);
  return named(
    "allOf",
    (req: Req, upload: Upload) => firstThat(policies, req, upload, (verdict) => !accepts(verdict)),
    policies,
  );
}

/**
 * Accepts if one policy accepts; later policies do not run. Otherwise refuses with the last refusal.
 *
 * A policy that throws does not count as a refusal. It ends the run with a fault.
 *
 * @param policies - run in order; at least one.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if there is no policy, or one is not a function.
 * @example anyOf(signedIn, smallerThan("1kb"))
 */
export function anyOf<Req extends HttpRequest = IncomingMessage>(...policies: Policy<Req>[]): Policy<Req> {
  requirePolicies("anyOf", policies);
  const firstAccepting = (req: Req, upload: Upload) => {
    const branches = policies.map((policy) => withLimitsOnAccept(policy));
    return firstThat(branches, req, upload, (verdict) => verdict !== false && !isRefusal(verdict));
  };
  return named("anyOf", firstAccepting, policies);
}

/**
 * Runs `policy` for the requests for which `predicate` returns `true`, and accepts all others.
 *
 * @param predicate - returns whether to run `policy`.
 * @param policy - decides about these requests.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if one of them is not a function.
 * @example when((req) => req.method === "PUT", knownLength())
 */
export function when<Req extends HttpRequest = IncomingMessage>(
  predicate: (req: Req, upload: Upload) => boolean | Promise<boolean>,
  policy: Policy<Req>,
): Policy<Req> {
  for (const [name, given] of Object.entries({ predicate, policy })) {
    if (typeof given !== "function") throw optionError(`when(predicate, policy): ${name}`, given, "a function");
  }
  const whenPicked = (req: Req, upload: Upload) => {
    const picked = predicate(req, upload);
    if (typeof picked === "boolean") return picked ? policy(req, upload) : true;
    return Promise.resolve(picked).then((yes) => (yes ? policy(req, upload) : true));
  };
  return named(`when(${policyName(policy)})`, whenPicked, [policy]);
}

type Answer = ReturnType<Policy>;

// Returns the verdict of the first policy for which `ends` is true, or that of the last policy. Returns a promise only if
// one of the policies does.
function firstThat<Req extends HttpRequest>(
  policies: readonly Policy<Req>[],
  req: Req,
  upload: Upload,
  ends: (verdict: unknown) => boolean,
  from = 0,
): Answer {
  for (let i = from; i < policies.length; i++) {
    const answer = (policies[i] as Policy<Req>)(req, upload);
    const isLast = i === policies.length - 1;
    if (isThenable(answer)) {
      return Promise.resolve(answer).then((verdict) =>
        isLast || ends(verdict) ? verdict : firstThat(policies, req, upload, ends, i + 1),
      ) as Answer;
    }
    if (isLast || ends(answer)) return answer;
  }
  return true;
}

// A limit takes effect only if its branch accepts. In anyOf(allOf(maxSize("1kb"), isGuest), isSignedIn), a client that is
// signed in has no limit.
function withLimitsOnAccept<Req extends HttpRequest>(policy: Policy<Req>): Policy<Req> {
  return (req, upload) => {
    const limits: Parameters<Upload["limitBytes"]>[] = [];
    const view = Object.create(upload, {
      limitBytes: { value: (...limit: Parameters<Upload["limitBytes"]>) => void limits.push(limit) },
    }) as Upload;
    const settle = <V>(verdict: V): V => {
      if (accepts(verdict)) for (const limit of limits) upload.limitBytes(...limit);
      return verdict;
    };
    const answer = policy(req, view);
    return isThenable(answer) ? (Promise.resolve(answer).then(settle) as Answer) : settle(answer);
  };
}

function accepts(verdict: unknown): boolean {
  return verdict === true || verdict === undefined;
}

function requirePolicies(combinator: string, policies: readonly unknown[]): void {
  if (policies.length > 0 && policies.every((policy) => typeof policy === "function")) return;
  const wrong = policies.find((policy) => typeof policy !== "function");
  const received = Array.isArray(wrong) ? "a list" : policies.length === 0 ? "nothing" : typeof wrong;
  throw new ExpectationError(
    "ERR_EXPECT_OPTION",
    `${combinator}: received ${received}; expected one policy function or more, each an argument of its own`,
  );
}
