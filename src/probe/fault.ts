import type { Unreachable } from "./result.js";

/** Why an endpoint cannot be asked at all; its message is for the user. */
export class ProbeFault extends Error {
  override readonly name = "ProbeFault";

  constructor(
    readonly code: Unreachable["code"],
    message: string,
  ) {
    super(message);
  }
}
