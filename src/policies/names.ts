import type { HttpRequest } from "../http/message.js";
import { ExpectationError, optionError } from "../support/errors.js";
import type { Policy, Upload } from "./policy.js";

/** Returns the name of a policy for logs and metrics. */
export function policyName(policy: { readonly name: string }): string {
  return policy.name === "" ? "anonymous" : policy.name;
}

/** What a guard reads from a policy beside its name. */
interface Traits {
  /** The policies that it combines. */
  readonly parts?: readonly Policy<never>[];
  /** The longest time that it has an upload wait, in milliseconds. */
  readonly maxWaitMs?: number | undefined;
}

const TRAITS = Symbol.for("express-expectations:traits:1");

function traitsOf(policy: Policy<never>): Traits {
  return (policy as { [TRAITS]?: Traits })[TRAITS] ?? {};
}

/** Returns a policy, followed by all policies that it combines. */
function withParts(policy: Policy<never>): Policy<never>[] {
  return [policy, ...(traitsOf(policy).parts ?? []).flatMap(withParts)];
}

/** Returns the name of a policy, followed by the names of all policies that it combines. */
export function namesOf(policy: Policy<never>): string[] {
  return withParts(policy).map(policyName);
}

/**
 * Checks that a policy, and each policy that it combines, may wait as long as it wants to.
 *
 * @param option - the name of the option with the policy, for the error message.
 * @param policyTimeoutMs - how long the policies may take together, in milliseconds.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if one would be interrupted while it waits.
 */
export function requireTimeToWait(option: string, policy: Policy<never>, policyTimeoutMs: number): void {
  for (const part of withParts(policy)) {
    const { maxWaitMs = 0 } = traitsOf(part);
    if (maxWaitMs <= policyTimeoutMs) continue;
    throw optionError(
      `${option}: ${policyName(part)}({ maxWaitMs })`,
      maxWaitMs,
      `at most policyTimeoutMs, ${policyTimeoutMs}; raise that, or wait for less`,
    );
  }
}

/**
 * Returns a policy that has a name for logs, and throws if it is used as a middleware.
 *
 * As a middleware it would never call `next`, and each request would hang.
 *
 * @param name - the name that logs and metrics show.
 * @param policy - decides about the upload.
 * @param traits - what a guard reads from it.
 */
export function named<Req extends HttpRequest>(name: string, policy: Policy<Req>, traits: Traits = {}): Policy<Req> {
  const checked = (req: Req, upload: Upload, next?: unknown) => {
    if (next === undefined) return policy(req, upload);
    throw new ExpectationError(
      "ERR_EXPECT_OPTION",
      `${name}: used as a middleware, but is a policy; pass it to a guard: app.use(expectations({ policies: [${name}(…)] }))`,
    );
  };
  return Object.defineProperties(checked, {
    name: { value: name, configurable: true },
    [TRAITS]: { value: traits },
  });
}
