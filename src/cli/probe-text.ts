import { timelineOf } from "../probe/describe.js";
import type { EndpointResult, Evidence, Finding, Fix, ProbeResult } from "../probe/result.js";
import type { Paint } from "./terminal.js";
import { wrap } from "./wrap.js";

const NAME_WIDTH = 16;
const EVIDENCE_LINES = 14;
const WIDTH = 100;

/** The report for people: verdict, a timeline for each exchange, findings with what helps. */
export function probeText(result: ProbeResult, paint: Paint): string {
  const parts = [
    `${verdictLine(result, paint)}\n${paint("dim", `${result.settings.method} ${result.url}${throughProxy(result)}, ${result.durationMs} ms`)}`,
    ...result.scenarios.map(({ title }) => paint("bold", `This is: ${title}.`)),
    endpointText(result.target, undefined, paint),
    ...(result.direct ? [endpointText(result.direct, "without the proxy", paint)] : []),
    ...result.findings.map((finding) => findingText(finding, paint)),
    fixesText(result.findings, paint),
    ...(result.settings.content === "sent" || result.target.unreachable
      ? []
      : ["Exchanges that send content were left out; --yes sends it (the endpoint might store it)."]),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** The verdict in one line. */
export function verdictLine({ verdict }: ProbeResult, paint: Paint): string {
  const style = { healthy: "green", findings: "red", unreachable: "red" } as const;
  const word = { healthy: "HEALTHY", findings: "FINDINGS", unreachable: "UNREACHABLE" } as const;
  return `${paint(style[verdict.outcome], word[verdict.outcome])}  ${verdict.headline}`;
}

function throughProxy({ settings }: ProbeResult): string {
  return settings.proxy === undefined ? "" : ` through ${settings.proxy}`;
}

function endpointText({ url, exchanges, identified }: EndpointResult, title: string | undefined, paint: Paint): string {
  if (exchanges.length === 0) return "";
  const lines = exchanges
    .filter(({ skipped }) => skipped === undefined)
    .map((exchange) => `  ${exchange.id.padEnd(NAME_WIDTH)}${timelineOf(exchange)}`);
  const left = exchanges.filter(({ skipped }) => skipped !== undefined).map(({ id }) => id);
  const skipped = left.length === 0 ? [] : [paint("dim", `  left out: ${left.join(", ")}`)];
  const programs = identified.map(({ name, confidence, because }) => `${name} (${confidence}: ${because})`);
  const seen = programs.length === 0 ? [] : [`  seen: ${programs.join("; ")}`];
  const heading = title === undefined ? [] : [paint("bold", `${title}: ${url}`)];
  return [...heading, ...lines, ...skipped, ...seen].join("\n");
}

const WHERE: Readonly<Record<Finding["hop"], string>> = {
  endpoint: "",
  unknown: ", at a hop that was not told apart (--via tells)",
  proxy: ", at the proxy",
  origin: ", at the origin",
};

function findingText({ severity, title, code, hop, cause, evidence }: Finding, paint: Paint): string {
  const style = { error: "red", warning: "yellow", note: "dim" } as const;
  const heading = `${paint(style[severity], severity)} ${paint("bold", title)} [${code}]${WHERE[hop]}`;
  if (severity === "note") return heading;
  return [
    heading,
    ...wrap(cause, WIDTH, "  ", "  "),
    ...shortest(code, evidence).flatMap((one) => evidenceLines(one, paint)),
  ].join("\n");
}

/** Findings that two exchanges with the same URL show together. */
const COMPARED: ReadonlySet<string> = new Set(["case-sensitive", "expect-fails", "h2-differs"]);

// One exchange is enough to see it; where two URLs differ, one of each.
function shortest(code: string, evidence: readonly Evidence[]): readonly Evidence[] {
  if (COMPARED.has(code)) return evidence;
  return (["target", "direct"] as const).flatMap((endpoint) => evidence.find((one) => one.endpoint === endpoint) ?? []);
}

/** Fields that tell something about the handshake; the others are in the JSON. */
const TELLING = /[→←] (?:expect|connection|content-length|transfer-encoding|server|via|(?:www|proxy)-authenticate):/i;

function evidenceLines({ endpoint, exchange, lines }: Evidence, paint: Paint): string[] {
  const name = endpoint === "direct" ? `${exchange}, without the proxy` : exchange;
  const isTelling = (line: string) => !line.startsWith(" ".repeat(11)) || TELLING.test(line);
  const telling = lines.filter(isTelling);
  const cut = telling.length > EVIDENCE_LINES ? [...telling.slice(0, EVIDENCE_LINES), "            …"] : telling;
  return [paint("dim", `  ${name}:`), ...cut.map((line) => paint("dim", `  ${line}`))];
}

// What helps against several findings stands once.
function fixesText(findings: readonly Finding[], paint: Paint): string {
  const fixes = findings.filter(({ severity }) => severity !== "note").flatMap((finding) => finding.fixes);
  const each = new Map(fixes.map((fix) => [`${fix.text}${fix.code}`, fix]));
  if (each.size === 0) return "";
  return [paint("bold", "What to change"), ...[...each.values()].flatMap(fixLines)].join("\n");
}

function fixLines({ side, text, code }: Fix): string[] {
  const [first = "", ...more] = wrap(text, WIDTH, `  ${side}: `, "    ");
  return [first, ...more, ...(code === undefined ? [] : code.split("\n").map((line) => `      ${line}`))];
}
