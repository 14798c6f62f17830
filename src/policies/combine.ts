import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import { ExpectationError, optionError } from "../support/errors.js";
import { named, policyName } from "./names.js";
import type { Policy, Upload } from "./policy.js";
import { isRefusal } from "./refuse.js";
import { isThenable } from "./run.js";

/**
 * Accepts when every policy accepts; the first refusal is the answer.
 *
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
 * Accepts when one policy accepts; where none does, the last refusal is the answer.
 *
 * A policy that throws is no refusal: the fault ends the run.
 *
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
 * Asks `policy` about the requests that `predicate` picks; accepts all others.
 *
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

// The answer of the first policy that `ends` the row, or else of the last one; in step as long as all answer at once.
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

// A limit that a branch sets counts only where that branch accepts.
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
