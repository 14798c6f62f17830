import { troubledIn } from "../../probe/findings/troubled.js";
import type { EndpointResult, ProbeResult } from "../../probe/result.js";
import type { Paint } from "../terminal.js";
import { wrap } from "../wrap.js";
import { exchangeLines, timeText } from "./text-exchanges.js";
import { evidenceText, findingText, noteText, otherFixesText } from "./text-findings.js";
import type { TextOptions } from "./text-options.js";

/** Writes a result as text: the verdict, each cause with its best fix, the other fixes, the exchanges. */
export function probeText(result: ProbeResult, options: TextOptions): string {
  const { settings, findings, scenarios, target, direct } = result;
  const serious = findings.filter(({ severity }) => severity !== "note");
  const notes = findings.filter(({ severity }) => severity === "note");
  const also = scenarios.slice(1).map(({ title }) => title);
  const parts = [
    [
      verdictLine(result, options.paint),
      ...wrap(
        `${settings.method} ${result.url}${throughProxy(result)}, ${timeText(result.durationMs)}`,
        options.width,
        "",
        "  ",
      ).map((line) => options.paint("dim", line)),
      ...(also.length === 0 ? [] : wrap(`Also: ${also.join("; ")}.`, options.width, "", "  ")),
    ].join("\n"),
    ...serious.map((finding) => findingText(finding, options)),
    otherFixesText(serious, options),
    endpointText(target, troubledIn(findings, "target"), undefined, options),
    ...(direct ? [endpointText(direct, troubledIn(findings, "direct"), "without the proxy", options)] : []),
    notes.map((finding) => noteText(finding, options)).join("\n"),
    ...(options.isVerbose ? findings.map((finding) => evidenceText(finding, options)) : []),
    lastText(result, options),
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

function endpointText(
  { url, exchanges, identified }: EndpointResult,
  troubled: ReadonlySet<string>,
  title: string | undefined,
  { paint, width, isVerbose }: TextOptions,
): string {
  const ran = exchanges.filter(({ skipped }) => skipped === undefined);
  if (ran.length === 0) return "";
  const bad = ran.filter(({ id }) => troubled.has(id)).length;
  const counts = `${ran.length - bad} of ${ran.length} as expected`;
  const heading = title === undefined ? `Exchanges: ${counts}` : `${title}: ${url}, ${counts}`;
  const lines = ran.flatMap((one) => exchangeLines(one, troubled.has(one.id), { paint, width, isVerbose }));
  const left = exchanges.filter(({ skipped }) => skipped !== undefined).map(({ id }) => id);
  const skipped = left.length === 0 ? [] : wrap(`left out: ${left.join(", ")}`, width, "  ", "    ");
  const programs = identified.map(({ name, confidence, because }) => `${name} (${confidence}: ${because})`);
  const seen = programs.length === 0 ? [] : wrap(`seen: ${programs.join("; ")}`, width, "  ", "    ");
  return [paint("bold", heading), ...lines, ...skipped.map((line) => paint("dim", line)), ...seen].join("\n");
}

function lastText({ settings, target, findings }: ProbeResult, { width, isVerbose }: TextOptions): string {
  const said = [
    ...(settings.content === "sent" || target.unreachable
      ? []
      : ["Exchanges that send content were left out. --yes sends it; the endpoint might store it."]),
    ...(isVerbose || findings.length === 0 ? [] : ["--verbose shows the bytes."]),
  ];
  return said.length === 0 ? "" : wrap(said.join(" "), width, "", "").join("\n");
}
