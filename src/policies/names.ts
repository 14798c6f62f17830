import type { HttpRequest } from "../http/message.js";
import { ExpectationError } from "../support/errors.js";
import type { Policy, Upload } from "./policy.js";

/** Returns the name of a policy for logs and metrics. */
export function policyName(policy: { readonly name: string }): string {
  return policy.name === "" ? "anonymous" : policy.name;
}

const PARTS = Symbol.for("express-expectations:parts:1");

/** Returns the name of a policy, followed by the names of all policies that it combines. */
export function namesOf(policy: Policy<never>): string[] {
  const parts = (policy as { [PARTS]?: readonly Policy<never>[] })[PARTS] ?? [];
  return [policyName(policy), ...parts.flatMap(namesOf)];
}

/**
 * Returns a policy that has a name for logs, and throws if it is used as a middleware.
 *
 * As a middleware it would never call `next`, and each request would hang.
 *
 * @param name - the name that logs and metrics show.
 * @param policy - decides about the upload.
 * @param parts - the policies that it combines.
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
      `${name}: used as a middleware, but is a policy; pass it to a guard: app.use(expectations({ policies: [${name}(…)] }))`,
    );
  };
  return Object.defineProperties(checked, {
    name: { value: name, configurable: true },
    [PARTS]: { value: parts },
  });
}
