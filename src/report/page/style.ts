import { BASE_STYLE } from "../../pages/base-style.js";
import { CHART_STYLE } from "./script.js";

/** The style sheet of the page: light and dark, from 320 px on, for print, and with forced colours. */
export const PAGE_STYLE: string = `${BASE_STYLE}${CHART_STYLE}
#connection { display: inline-flex; align-items: center; gap: .5rem; margin: 0; padding: .1875rem .75rem; border: 1px solid var(--line); border-radius: 99px; background: var(--card); font-size: .8125rem; }
#connection[hidden] { display: none; }
#connection::before { content: ""; width: .5rem; height: .5rem; border-radius: 50%; background: var(--warn); forced-color-adjust: none; }
#connection[data-state="live"]::before { background: var(--good); }
#connection[data-state="lost"]::before { background: var(--refused); }

.notice { padding: 1.25rem; }
.notice b { font-weight: 620; }

.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); padding: 0; overflow: hidden; }
.figures > div { padding: .875rem 1.125rem; border: solid var(--line); border-width: 0 0 1px 1px; margin: 0 0 -1px -1px; }
.figures dt { color: var(--muted); font-size: .8125rem; display: flex; align-items: center; gap: .4375rem; }
.figures dd { font-size: 1.625rem; line-height: 1.2; font-weight: 620; letter-spacing: -.02em; font-variant-numeric: tabular-nums; margin-top: .1875rem; }
.figures dd small { font-size: .8125rem; font-weight: 400; letter-spacing: 0; color: var(--muted); display: block; line-height: 1.4; }
.figures .unit { font-size: .9375rem; font-weight: 500; letter-spacing: 0; }

.swatch { flex: none; width: .625rem; height: .625rem; border-radius: 2px; forced-color-adjust: none; }
.swatch.refused { background: var(--refused); } .swatch.errors { background: var(--errors); } .swatch.accepted { background: var(--accepted); }

.head { display: flex; flex-wrap: wrap; gap: .125rem 1rem; align-items: baseline; justify-content: space-between; margin-bottom: .5rem; }
.legend { display: flex; gap: 1rem; font-size: .8125rem; color: var(--muted); }
.legend li { display: flex; align-items: center; gap: .4375rem; }
.plot { height: 216px; touch-action: pan-y; }
.plot .uplot { font: inherit; width: 100%; }
.plot .u-select { background: color-mix(in srgb, var(--ink) 14%, transparent); }
.plot .u-cursor-x { border-right-color: var(--muted); }
.controls { display: flex; flex-wrap: wrap; gap: .375rem 1rem; align-items: center; justify-content: space-between; margin-top: .375rem; }
.zoom { display: flex; flex-wrap: wrap; gap: .375rem; margin: 0; padding: 0; border: 0; min-width: 0; }
.readout { min-height: 1.5em; font-size: .8125rem; color: var(--muted); font-variant-numeric: tabular-nums; }
.present table { min-width: 44rem; }
.odd { margin-top: .25rem; font-size: .8125rem; }
.scroll { max-height: 20rem; overflow: auto; margin-top: .5rem; border: 1px solid var(--line); border-radius: 6px; padding: 0 .75rem; }

.suspects > ul { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
.suspects > ul > li { display: grid; gap: .75rem; align-content: start; border: 1px solid var(--line); border-left: 3px solid var(--refused); border-radius: 6px; padding: .75rem .875rem; }
.suspect-head { display: flex; flex-wrap: wrap; gap: .125rem .75rem; justify-content: space-between; align-items: baseline; }
.suspect-head h3 { color: var(--ink); font-size: .875rem; font-weight: 620; }
.suspect-head .number { white-space: normal; text-align: left; }
.chips { display: flex; flex-wrap: wrap; gap: .375rem; margin-top: .25rem; flex-basis: 100%; }
.chips li { background: var(--faint); border-radius: 4px; padding: .0625rem .4375rem; font-size: .75rem; font-variant-numeric: tabular-nums; }
.suspects h4 { margin: 0 0 .125rem; font-size: .75rem; font-weight: 600; color: var(--muted); }
.sentences { display: grid; gap: .25rem; }
.sentences li { padding-left: .875rem; text-indent: -.875rem; }
.sentences li::before { content: "–"; display: inline-block; width: .875rem; text-indent: 0; color: var(--muted); }

.answers { display: grid; gap: 1rem; align-items: start; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); }
.answers .card { container-type: inline-size; }
tfoot tr:first-child > * { border-top: 1px solid var(--line); }
.scroll thead th { position: sticky; top: 0; background: var(--card); padding-top: .375rem; }
.answers tbody th { width: 100%; }
.key { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; word-break: break-word; overflow-wrap: anywhere; }
.fold { display: flex; gap: .375rem; align-items: baseline; width: 100%; margin: 0; padding: 0; font: inherit; text-align: left; color: inherit; background: none; border: 0; cursor: pointer; }
.fold::before { content: "▸"; flex: none; width: .75rem; color: var(--muted); }
.fold[aria-expanded="true"]::before { content: "▾"; }
tr.inner th { padding-left: 1rem; color: var(--muted); }
.same { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; align-items: baseline; }
.same dl { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; font-size: .8125rem; }
.same dl > div { display: flex; gap: .375rem; min-width: 0; }
.same dt { color: var(--muted); white-space: nowrap; }
.meter { display: block; height: 4px; margin-top: .25rem; border-radius: 2px; background: var(--faint); overflow: hidden; forced-color-adjust: none; }
.meter > span { display: block; height: 100%; min-width: 2px; border-radius: 2px; background: var(--refused); }
.more { margin-top: .5rem; }
.more, .zoom button { font: inherit; font-size: .8125rem; color: var(--ink); background: none; border: 1px solid var(--line); border-radius: 6px; padding: .25rem .75rem; min-height: 2rem; cursor: pointer; }
.zoom button { min-height: 1.75rem; padding: .125rem .625rem; }
.zoom button:disabled { color: var(--muted); opacity: .6; cursor: default; }
.more:hover, .zoom button:hover:enabled { background: var(--faint); }
@container (max-width: 25rem) { .answers .last { display: none; } }
@container (max-width: 21rem) { .answers .share { display: none; } }

footer .warn { color: var(--ink); }

@media (max-width: 30rem) {
  .figures { padding: 0; grid-template-columns: 1fr 1fr; }
  .figures > :last-child:nth-child(odd) { grid-column: 1 / -1; }
  .figures dd { font-size: 1.375rem; }
}
@media print {
  .suspects > ul > li { break-inside: avoid; }
  .answers { grid-template-columns: 1fr 1fr; }
  .swatch, .meter, .meter > span, .plot { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .more, .readout, .zoom, details:not([open]), #connection { display: none; }
}
@media (forced-colors: active) {
  .swatch.refused { background: CanvasText; } .swatch.errors { background: Highlight; } .swatch.accepted { background: GrayText; }
  .meter { background: Canvas; border: 1px solid CanvasText; } .meter > span { background: CanvasText; }
  .plot .u-select { background: Highlight; opacity: .4; }
  #connection::before { background: CanvasText; }
}
`;
