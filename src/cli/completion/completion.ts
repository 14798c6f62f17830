import { visible } from "../../report/visible.js";
import { argumentsOf } from "../arguments.js";
import type { Command } from "../command.js";
import type { Description } from "../description.js";
import { DESCRIPTIONS } from "../descriptions.js";
import { print } from "../terminal.js";
import { UsageError } from "../usage.js";
import { bashCompletion } from "./bash.js";
import { SHELLS } from "./description.js";
import { fishCompletion } from "./fish.js";
import { zshCompletion } from "./zsh.js";

const SCRIPTS: Readonly<Record<string, (commands: readonly Description[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** The command `completion`: prints a script for a shell. */
export const completion: Command = async (args, terminal) => {
  const { positionals } = argumentsOf(args, {});
  const [shell, ...more] = positionals;
  if (shell === undefined || more.length > 0) {
    throw new UsageError(`SHELL: received ${positionals.length} of them; expected one of ${SHELLS.join(", ")}`);
  }
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script) return print(terminal.stdout, script(DESCRIPTIONS));
  throw new UsageError(`SHELL: received ${visible(JSON.stringify(shell))}; expected one of ${SHELLS.join(", ")}`);
};
