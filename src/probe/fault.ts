import type { Unreachable } from "./result.js";

/** An endpoint cannot be probed. The message is for the user. */
export class ProbeFault extends Error {
  override readonly name = "ProbeFault";

  constructor(
    readonly code: Unreachable["code"],
    message: string,
  ) {
    super(message);
  }
}
