import { BASE_STYLE } from "../../pages/base-style.js";

/** The style sheet of the probe's page. */
export const PROBE_PAGE_STYLE: string = `${BASE_STYLE}
:root { --code: #f3f4f7; --sent: #2563ad; }
@media (prefers-color-scheme: dark) { :root { --code: #0b0d11; --sent: #7ab2f5; } }
a { color: inherit; text-underline-offset: .15em; text-decoration-color: var(--muted); }
header { margin-bottom: 1rem; }
header p { max-width: 60rem; }
code, pre { font: .75rem/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
pre { margin: 0; padding: .625rem .75rem; background: var(--code); border: 1px solid var(--line); border-radius: 6px; white-space: pre-wrap; }
pre:has(.line) { white-space: normal; }
.line { display: grid; grid-template-columns: 10ch minmax(0, 1fr); column-gap: 1ch; white-space: pre-wrap; }
.line > :first-child { text-align: right; }
.line > :last-child { padding-left: 4ch; text-indent: -4ch; }
.line.none > :last-child { padding-left: 2ch; text-indent: 0; }
.line.in { color: var(--ink); } .line.out { color: var(--sent); } .line.none { color: var(--muted); }
section > h2 { margin-bottom: .5rem; font-size: 1.0625rem; }
.stack { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }

.verdict { border-left: 6px solid var(--tone); padding: 1.125rem 1.25rem; }
.verdict.healthy { --tone: var(--good); } .verdict.findings, .verdict.unreachable { --tone: var(--refused); }
.verdict .word { font-size: .8125rem; font-weight: 700; letter-spacing: .06em; color: var(--tone); }
.verdict h1 { font-size: clamp(1.25rem, 1rem + 1.4vw, 1.75rem); }
.verdict h1::first-letter { text-transform: uppercase; }
.verdict .scenarios { margin-top: .5rem; }
.facts { display: flex; flex-wrap: wrap; gap: .375rem 1.75rem; margin-top: .875rem; font-size: .8125rem; }
.facts dt { color: var(--muted); }
.facts dd { font-variant-numeric: tabular-nums; }

.finding { border-left: 4px solid var(--tone); display: grid; gap: .625rem; grid-template-columns: minmax(0, 1fr); scroll-margin-top: .5rem; }
.error { --tone: var(--refused); } .warning { --tone: var(--warn); } .note { --tone: var(--muted); }
.finding h3, .sides h3, .exchange h3 { font-size: .9375rem; color: var(--ink); font-weight: 620; }
.finding h3::first-letter { text-transform: uppercase; }
.cause { margin-top: .5rem; max-width: 60rem; }
.tags { display: flex; flex-wrap: wrap; gap: .25rem .625rem; align-items: baseline; margin-top: .125rem; font-size: .8125rem; color: var(--muted); }
.tags .severity { color: var(--tone); font-weight: 650; }
figcaption { font-size: .75rem; color: var(--muted); margin-bottom: .25rem; }
.evidence { display: grid; gap: .625rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); }
details .evidence, details > pre { margin-top: .5rem; }

.sides { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); align-items: start; }
.sides .card { display: grid; gap: .875rem; grid-template-columns: minmax(0, 1fr); }
.fix p { margin-bottom: .375rem; }
.fix .for { margin: .25rem 0 0; font-size: .75rem; color: var(--muted); }
.copy { position: relative; }
.copy button { position: absolute; top: .25rem; right: .25rem; font: inherit; font-size: .75rem; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 5px; padding: .125rem .5rem; min-height: 1.75rem; cursor: pointer; }
.copy button:hover { background: var(--faint); }
.copy:has(button) pre { padding-right: 4.75rem; min-height: 2.25rem; }

.overview td:nth-child(n + 2) { font-variant-numeric: tabular-nums; }
.overview { table-layout: fixed; }
.mark { font-weight: 700; } .mark.good { color: var(--good); } .mark.bad { color: var(--refused); }
.overview .differs td { font-weight: 620; }
.overview small { display: block; font-size: .75rem; color: var(--muted); font-weight: 400; }
.seen { margin-top: .5rem; display: grid; gap: .125rem; font-size: .8125rem; }

.legend { margin-bottom: .625rem; }
.folded { margin-top: .75rem; } .folded > summary { font-size: .875rem; margin-bottom: .5rem; }
.exchanges { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
.exchanges.both { grid-template-columns: repeat(auto-fit, minmax(min(100%, 40rem), 1fr)); }
.exchange { display: grid; gap: .5rem; align-content: start; grid-template-columns: minmax(0, 1fr); scroll-margin-top: .5rem; }
.exchange .views { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); }
.exchange figure { min-width: 0; }
.diagram { display: block; width: 100%; max-width: 24rem; height: auto; margin: 0 auto; }
.diagram text { font-size: 11px; fill: var(--ink); }
.diagram .hop { font-weight: 620; }
.diagram .time, .diagram .unit { font-size: 10px; fill: var(--muted); font-variant-numeric: tabular-nums; }
.diagram .lifeline { stroke: var(--muted); fill: none; }
.diagram .unseen { stroke-dasharray: 2 4; }
.diagram .tick { stroke: var(--muted); stroke-opacity: .6; }
.diagram .sent { --tone: var(--sent); } .diagram .interim { --tone: var(--accepted); } .diagram .good { --tone: var(--good); }
.diagram .bad { --tone: var(--refused); } .diagram .quiet { --tone: var(--muted); }
.diagram .arrow { stroke: var(--tone); stroke-width: 1.75; fill: none; }
.diagram .quiet .arrow { stroke-dasharray: 4 3; }
.diagram .tip, .diagram .bar { fill: var(--tone); }
.diagram .bar { fill-opacity: .8; }
.diagram .gap { fill: none; stroke: var(--muted); stroke-dasharray: 4 3; }
.diagram .wait { fill: var(--tone); fill-opacity: .35; stroke: var(--tone); }
.diagram .bad text { fill: var(--refused); font-weight: 600; }
.diagram .quiet text { fill: var(--muted); }
:target { outline: 2px solid var(--sent); outline-offset: 2px; }

@media (min-width: 60rem) {
  .finding { grid-template-columns: minmax(0, 5fr) minmax(0, 7fr); column-gap: 1.5rem; align-content: start; }
  .finding > details { grid-column: 1 / -1; }
}
@media (max-width: 30rem) {
  .verdict { padding: .875rem 1rem; }
  pre { padding: .5rem; font-size: .6875rem; }
  .line { grid-template-columns: 9ch minmax(0, 1fr); }
}
@media (forced-colors: active) {
  .diagram { --tone: CanvasText; forced-color-adjust: none; }
  .diagram text { fill: CanvasText; }
  .diagram :is(.sent, .interim, .good, .bad, .quiet) { --tone: CanvasText; }
}
@media print {
  :root { --code: #fff; --sent: #2563ad; }
  .exchanges { grid-template-columns: 1fr 1fr; }
  .exchanges.both { grid-template-columns: minmax(0, 1fr); }
  .finding { break-inside: auto; }
  figure, .fix { break-inside: avoid; }
  .verdict, .finding, .diagram { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .copy button, details:not([open]) > summary { display: none; }
}
`;
