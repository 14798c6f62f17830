import type { Suspect } from "../summary.js";

/** The facts about a client or proxy that often causes refused expectations. */
export type SuspectFacts = Pick<Suspect, "id" | "name" | "known" | "change">;
