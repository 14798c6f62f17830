import { COMMON_OPTIONS, type Description } from "../description.js";

/** The shells that have completions. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** The command `completion`. */
export const COMPLETION: Description = {
  name: "completion",
  operands: "SHELL",
  summary: `prints completions for ${SHELLS.join(", ")}`,
  purpose: "Prints a script that completes commands, options and files of express-expectations in bash, zsh or fish.",
  options: COMMON_OPTIONS,
  notes: [
    "bash: source <(express-expectations completion bash)",
    "zsh, behind compinit: source <(express-expectations completion zsh)",
    "fish: express-expectations completion fish | source",
  ],
  exitCodes: [
    [0, "done"],
    [2, "wrong usage"],
    [3, "the output cannot be written"],
  ],
  completes: SHELLS,
};
