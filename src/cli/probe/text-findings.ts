import type { Evidence, Finding, Fix } from "../../probe/finding.js";
import type { Paint } from "../terminal.js";
import { wrap } from "../wrap.js";
import type { TextOptions } from "./text-options.js";

const EVIDENCE_LINES = 14;

const WHERE: Readonly<Record<Finding["hop"], string>> = {
  endpoint: "",
  unknown: ", at a hop that was not told apart (--origin tells)",
  proxy: ", at the proxy",
  origin: ", at the origin",
};

const STYLES = { error: "red", warning: "yellow", note: "dim" } as const;

function headingOf({ severity, title, code, hop }: Finding, { paint, width }: TextOptions): string[] {
  const [first = "", ...more] = wrap(`${severity} ${title} [${code}]${WHERE[hop]}`, width, "", "  ");
  const rest = first.slice(severity.length + 1);
  return [`${paint(STYLES[severity], severity)} ${paint("bold", rest)}`, ...more.map((line) => paint("bold", line))];
}

/** Writes one finding: severity, title, cause, and the one best fix. */
export function findingText(finding: Finding, options: TextOptions): string {
  const [best] = finding.fixes;
  return [
    ...headingOf(finding, options),
    ...wrap(finding.cause, options.width, "  ", "  "),
    ...(best ? fixLines(best, `Fix, on the ${best.side}: `, options) : []),
  ].join("\n");
}

/** Writes a note in one line, with its cause if the report is verbose. */
export function noteText(finding: Finding, options: TextOptions): string {
  return [
    ...headingOf(finding, options),
    ...(options.isVerbose ? wrap(finding.cause, options.width, "  ", "  ") : []),
  ].join("\n");
}

/** Writes the fixes that are not the best one of a finding, in order. One against several findings appears once. */
export function otherFixesText(findings: readonly Finding[], options: TextOptions): string {
  const keyOf = ({ text, code }: Fix) => `${text}${code}`;
  const best = new Set(findings.flatMap(({ fixes }) => fixes.slice(0, 1).map(keyOf)));
  const others = findings.flatMap(({ fixes }) => fixes.slice(1)).filter((one) => !best.has(keyOf(one)));
  const each = new Map(others.map((fix) => [keyOf(fix), fix]));
  if (each.size === 0) return "";
  const heading = options.paint("bold", "Other fixes, the better ones first");
  return [heading, ...[...each.values()].flatMap((one) => fixLines(one, `on the ${one.side}: `, options))].join("\n");
}

// Code is not wrapped: it is there to be copied.
function fixLines({ text, code }: Fix, name: string, { width }: TextOptions): string[] {
  const [first = "", ...more] = wrap(text, width, `  ${name}`, "    ");
  return [first, ...more, ...(code === undefined ? [] : code.split("\n").map((line) => `      ${line}`.trimEnd()))];
}

/** Writes the bytes that show a finding. */
export function evidenceText(finding: Finding, options: TextOptions): string {
  const shown = shownEvidence(finding.evidence);
  if (shown.length === 0) return "";
  return [
    options.paint("bold", `What shows ${finding.code}`),
    ...shown.flatMap((one) => evidenceLines(one, options.paint)),
  ].join("\n");
}

// A comparison at one URL needs all of its exchanges. Other findings need one, or one of each URL if the two differ.
function shownEvidence(evidence: readonly Evidence[]): readonly Evidence[] {
  if (evidence.some(({ endpoint, isReference }) => endpoint === "target" && isReference)) return evidence;
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
