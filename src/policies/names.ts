import type { HttpRequest } from "../http/message.js";
import { ExpectationError } from "../support/errors.js";

import type { Policy, Upload } from "./policy.js";

/** A policy's name for logs and metrics. */
export function policyName(policy: { readonly name: string }): string {
  return policy.name === "" ? "anonymous" : policy.name;
}

const PARTS = Symbol.for("express-expectations:parts:1");

/** Every policy's name among those that a policy is made of, its own first. */
export function namesOf(policy: Policy<never>): string[] {
  const parts = (policy as { [PARTS]?: readonly Policy<never>[] })[PARTS] ?? [];
  return [policyName(policy), ...parts.flatMap(namesOf)];
}

/**
 * Gives a policy the name that logs show. Called as a middleware, where it would never hand a request on, it throws.
 *
 * @param parts - the policies that it asks.
 */
export function named<Req extends HttpRequest>(
  name: string,
  policy: Policy<Req>,
  parts: readonly Policy<Req>[] = [],
): Policy<Req> {
  const checked = (req: Req, upload: Upload, next?: unknown) => {
    if (next === undefined) return policy(req, upload);
    throw new ExpectationError(
      "ERR_EXPECT_OPTION",
      `${name}: used as a middleware, and is a policy; a guard runs it: app.use(expectations({ policies: [${name}(…)] }))`,
    );
  };
  return Object.defineProperties(checked, {
    name: { value: name, configurable: true },
    [PARTS]: { value: parts },
  });
}
