import type { Description, Option } from "../description.js";
import { shortTextOf } from "../help.js";
import { quoted } from "./quoted.js";

/** Returns the completions for zsh. They also work as a file `_express-expectations` in `$fpath`. */
export function zshCompletion(commands: readonly Description[]): string {
  const names = commands.map(({ name, summary }) => quoted(`${name}:${summary.replaceAll(":", "\\:")}`));
  return `#compdef express-expectations
# zsh completion of express-expectations: source <(express-expectations completion zsh)
_express_expectations() {
  local curcontext="$curcontext" state line
  local -a commands=(
    ${names.join("\n    ")}
  )
  _arguments -C '(- *)'{-h,--help}'[prints the commands]' '(- *)'{-V,--version}'[prints the version]' \\
    '1:command:->command' '*::argument:->argument'
  case $state in
  command) _describe command commands ;;
  argument)
    case $line[1] in
${commands.map(commandCase).join("\n")}
    esac
    ;;
  esac
}
if [[ $funcstack[1] == _express-expectations ]]; then
  _express_expectations "$@"
else
  compdef _express_expectations express-expectations
fi
`;
}

function commandCase({ name, options, operands, completes }: Description): string {
  const specs = Object.entries(options).map(([long, option]) => optionSpec(long, option));
  const all = [...specs, quoted(`*:${escaped(operands)}:${actionOf(completes)}`)];
  return `    ${name})\n      _arguments -s \\\n        ${all.join(" \\\n        ")}\n      ;;`;
}

// Such as '(-X --method)'{-X+,--method=}'[the method]:METHOD:(PUT POST)'.
function optionSpec(long: string, option: Option): string {
  const { type, short, multiple = false, value = "", completes = [] } = option;
  const isText = type === "string";
  const forms = [...(short === undefined ? [] : [`-${short}${isText ? "+" : ""}`]), `--${long}${isText ? "=" : ""}`];
  const names = [...(short === undefined ? [] : [`-${short}`]), `--${long}`].join(" ");
  const text = `[${escaped(shortTextOf(option))}]${isText ? `:${escaped(value)}:${actionOf(completes)}` : ""}`;
  const before = multiple ? "*" : `(${names})`;
  return forms.length === 1
    ? quoted(`${before}${forms[0]}${text}`)
    : `${quoted(before)}{${forms.join(",")}}${quoted(text)}`;
}

function actionOf(completes: NonNullable<Option["completes"]>): string {
  if (completes === "files") return "_files";
  if (completes.length === 0) return " ";
  return completes.some((word) => word.endsWith("="))
    ? `compadd -S "" -- ${completes.join(" ")}`
    : `(${completes.join(" ")})`;
}

function escaped(text: string): string {
  return text.replace(/[\\[\]:]/g, "\\$&");
}
