import type { Evidence, Finding, Fix } from "../../probe/finding.js";
import type { Paint } from "../terminal.js";
import { wrap } from "../wrap.js";

const EVIDENCE_LINES = 14;
const WIDTH = 100;

const WHERE: Readonly<Record<Finding["hop"], string>> = {
  endpoint: "",
  unknown: ", at a hop that was not told apart (--via tells)",
  proxy: ", at the proxy",
  origin: ", at the origin",
};

/** Writes one finding: severity, title, cause and evidence. */
export function findingText({ severity, title, code, hop, cause, evidence }: Finding, paint: Paint): string {
  const style = { error: "red", warning: "yellow", note: "dim" } as const;
  const heading = `${paint(style[severity], severity)} ${paint("bold", title)} [${code}]${WHERE[hop]}`;
  if (severity === "note") return heading;
  return [
    heading,
    ...wrap(cause, WIDTH, "  ", "  "),
    ...shownEvidence(code, evidence).flatMap((one) => evidenceLines(one, paint)),
  ].join("\n");
}

/** Findings that compare two exchanges at the same URL. */
const COMPARED: ReadonlySet<string> = new Set(["case-sensitive", "expect-fails", "h2-differs"]);

// Other findings need one exchange, or one of each URL if the two differ.
function shownEvidence(code: string, evidence: readonly Evidence[]): readonly Evidence[] {
  if (COMPARED.has(code)) return evidence;
  return (["target", "direct"] as const).flatMap((endpoint) => evidence.find((one) => one.endpoint === endpoint) ?? []);
}

/** Fields that concern the handshake. `--json` prints all of them. */
const HANDSHAKE_FIELD =
  /[→←] (?:expect|connection|content-length|transfer-encoding|server|via|(?:www|proxy)-authenticate):/i;

function evidenceLines({ endpoint, exchange, lines }: Evidence, paint: Paint): string[] {
  const name = endpoint === "direct" ? `${exchange}, without the proxy` : exchange;
  const isRelevant = (line: string) => !line.startsWith(" ".repeat(11)) || HANDSHAKE_FIELD.test(line);
  const relevant = lines.filter(isRelevant);
  const cut = relevant.length > EVIDENCE_LINES ? [...relevant.slice(0, EVIDENCE_LINES), "            …"] : relevant;
  return [paint("dim", `  ${name}:`), ...cut.map((line) => paint("dim", `  ${line}`))];
}

/** Writes the fixes of all findings. A fix against several findings appears once. */
export function fixesText(findings: readonly Finding[], paint: Paint): string {
  const fixes = findings.filter(({ severity }) => severity !== "note").flatMap((finding) => finding.fixes);
  const each = new Map(fixes.map((fix) => [`${fix.text}${fix.code}`, fix]));
  if (each.size === 0) return "";
  return [paint("bold", "What to change"), ...[...each.values()].flatMap(fixLines)].join("\n");
}

function fixLines({ side, text, code }: Fix): string[] {
  const [first = "", ...more] = wrap(text, WIDTH, `  ${side}: `, "    ");
  return [first, ...more, ...(code === undefined ? [] : code.split("\n").map((line) => `      ${line}`))];
}
