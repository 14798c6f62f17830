import type { Description, Option } from "../description.js";
import { quoted } from "./quoted.js";

/** Returns the completions for bash, 3.2 and later. */
export function bashCompletion(commands: readonly Description[]): string {
  const names = [...commands.map(({ name }) => name), "--help", "--version"];
  return `# bash completion of express-expectations: source <(express-expectations completion bash)
_express_expectations() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} values= list=
  COMPREPLY=()
  # bash takes the "=" of --option=value for a word.
  if [[ $word == = ]]; then word=; elif [[ $before == = ]]; then before=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W ${quoted(names.join(" "))} -- "$word"))
    return
  fi
  case \${COMP_WORDS[1]}\${before} in
${commands.flatMap(valueCases).join("\n")}
  *)
    case \${COMP_WORDS[1]} in
${commands.map(wordCase).join("\n")}
    esac
    ;;
  esac
  # Without words, bash completes names of files.
  if [[ $values == none ]]; then
    compopt +o default 2>/dev/null
  elif [[ $values == words ]]; then
    compopt +o default 2>/dev/null
    local done=
    if [[ $word == *,* ]]; then done=\${word%,*},; fi
    COMPREPLY=($(compgen -P "$done" -W "$list" -- "\${word##*,}"))
  fi
}
complete -o default -F _express_expectations express-expectations
`;
}

// The values of a command's options, by the word before.
function valueCases({ name, options }: Description): string[] {
  return Object.entries(options)
    .filter(([, { type }]) => type === "string")
    .map(([long, option]) => {
      const patterns = [`--${long}`, ...(option.short === undefined ? [] : [`-${option.short}`])];
      return `  ${patterns.map((pattern) => `${name}${pattern}`).join(" | ")}) ${assigned(option.completes ?? [])} ;;`;
    });
}

function wordCase({ name, options, completes }: Description): string {
  const flags = Object.keys(options).map((long) => `--${long}`);
  return `    ${name}) if [[ $word == -* ]]; then ${assigned(flags)}; else ${assigned(completes)}; fi ;;`;
}

function assigned(completes: NonNullable<Option["completes"]>): string {
  if (completes === "files") return "values=files";
  return completes.length === 0 ? "values=none" : `values=words list=${quoted(completes.join(" "))}`;
}
