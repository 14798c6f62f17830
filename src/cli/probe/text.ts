import { timelineOf } from "../../probe/describe.js";
import type { EndpointResult, ProbeResult } from "../../probe/result.js";
import type { Paint } from "../terminal.js";
import { findingText, fixesText } from "./text-findings.js";

const NAME_WIDTH = 16;

/** Writes a result as text: verdict, a timeline for each exchange, findings, fixes. */
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
      : ["Exchanges that send content were left out. --yes sends it; the endpoint might store it."]),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** Writes the verdict in one line. */
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
