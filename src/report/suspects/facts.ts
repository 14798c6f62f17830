import type { Suspect } from "../summary.js";

/** The facts about a client or proxy that is known for its handling of `Expect`. */
export interface SuspectFacts extends Pick<Suspect, "id" | "name" | "known" | "change"> {
  /** Ways to leave `Expect` out. They help against a 417 alone: otherwise the client would send what is refused. */
  readonly leaveOut?: readonly string[];
  /** Whether it sends its content without waiting, so that `Expect` saves nothing. */
  readonly neverWaits?: true;
}
