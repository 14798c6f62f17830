import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import { answerError, ExpectationError } from "../support/errors.js";
import { markFactory } from "../support/factories.js";
import { askBranch } from "./branch.js";
import { named, policyName } from "./names.js";
import type { Policy, Upload, Verdict } from "./policy.js";
import { requireNoMistake, requirePolicy } from "./require-policy.js";
import { isRefused, isThenable, requireVerdict } from "./run.js";

/**
 * Accepts if every policy accepts. Otherwise refuses with the first refusal; later policies do not run.
 *
 * @param policies - run in order; at least one.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if there is no policy, or one is not a function.
 * @example allOf(signedIn, mediaTypes(["image/*"]))
 */
export function allOf<Req extends HttpRequest = IncomingMessage>(...policies: Policy<Req>[]): Policy<Req> {
  requirePolicies("allOf", policies);
  const firstRefusing = (req: Req, upload: Upload) => firstThat(policies, (policy) => policy(req, upload), isRefused);
  return named("allOf", firstRefusing, { parts: policies });
}

markFactory(allOf, "allOf(policy, other)");

/**
 * Accepts if one policy accepts; later policies do not run. Otherwise refuses with the last refusal.
 *
 * A policy that throws, or returns no verdict, does not count as a refusal. It ends the run with a fault.
 *
 * @param policies - run in order; at least one.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if there is no policy, or one is not a function.
 * @example anyOf(signedIn, smallerThan("1kb"))
 */
export function anyOf<Req extends HttpRequest = IncomingMessage>(...policies: Policy<Req>[]): Policy<Req> {
  requirePolicies("anyOf", policies);
  const firstAccepting = (req: Req, upload: Upload) =>
    firstThat(policies, (policy) => askBranch(policy, req, upload), isAccepted);
  return named("anyOf", firstAccepting, { parts: policies });
}

markFactory(anyOf, "anyOf(policy, other)");

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
    requirePolicy(`when(predicate, policy): ${name}`, given, "a function");
  }
  const whenPicked = (req: Req, upload: Upload) => {
    const decide = (isPicked: unknown) => {
      // A predicate that lacks a `return` must not turn the policy off.
      if (typeof isPicked !== "boolean") throw answerError("when(predicate)", isPicked, "true or false");
      return isPicked ? policy(req, upload) : true;
    };
    const picked = predicate(req, upload);
    return isThenable(picked) ? Promise.resolve(picked).then(decide) : decide(picked);
  };
  return named(`when(${policyName(policy)})`, whenPicked, { parts: [policy] });
}

markFactory(when, "when(predicate, policy)");

type Answer = ReturnType<Policy>;

// Returns the first verdict for which `ends` is true, or the last one. Returns a promise only if one of the policies does.
function firstThat<Req extends HttpRequest>(
  policies: readonly Policy<Req>[],
  ask: (policy: Policy<Req>) => Answer,
  ends: (verdict: Verdict) => boolean,
  from = 0,
): Answer {
  for (let i = from; i < policies.length; i++) {
    const policy = policies[i] as Policy<Req>;
    const answer = ask(policy);
    const isLast = i === policies.length - 1;
    if (isThenable(answer)) {
      return Promise.resolve(answer).then((given) => {
        const verdict = requireVerdict(policyName(policy), given);
        return isLast || ends(verdict) ? verdict : firstThat(policies, ask, ends, i + 1);
      });
    }
    const verdict = requireVerdict(policyName(policy), answer);
    if (isLast || ends(verdict)) return verdict;
  }
  return true;
}

function isAccepted(verdict: unknown): boolean {
  return verdict === true;
}

function requirePolicies(combinator: string, policies: readonly unknown[]): void {
  for (const policy of policies) requireNoMistake(combinator, policy);
  if (policies.length > 0 && policies.every((policy) => typeof policy === "function")) return;
  const wrong = policies.find((policy) => typeof policy !== "function");
  const received = Array.isArray(wrong) ? "a list" : policies.length === 0 ? "nothing" : typeof wrong;
  throw new ExpectationError(
    "ERR_EXPECT_OPTION",
    `${combinator}: received ${received}; expected one policy function or more, each an argument of its own`,
  );
}
