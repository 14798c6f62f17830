import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Summary } from "../../../report/summary.js";
import { type Column, type Range, type View, viewOf, wholeRange, within } from "./columns.js";
import { OddTimes } from "./notices.js";
import { Plot, type Series } from "./plot.js";
import { sparedKinds, sparedText } from "./spared.js";
import { count, moment, spanText, whole } from "./texts.js";
import { TimeTable } from "./time-table.js";

/** The names of the series. */
const NAMES: Readonly<Record<Series, string>> = { refused: "Refused", errors: "Errors", accepted: "Accepted" };

/** The width of a column and its gap, in pixels. */
const COLUMN_WIDTH = 7;

interface ChartProps {
  readonly summary: Summary;
  readonly series: readonly Series[];
}

/** Decisions over time: legend, chart, buttons and table. */
export function Chart({ summary, series }: ChartProps) {
  const { overTime } = summary;
  const drawing = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot>(undefined);
  const [zoom, setZoom] = useState<Range>();
  const [width, setWidth] = useState(0);
  const [column, setColumn] = useState<number>();
  const [isTold, setTold] = useState(false);
  const range = zoom ? within(zoom, overTime) : wholeRange(overTime);
  const view = viewOf(overTime, range, Math.max(8, Math.floor(width / COLUMN_WIDTH)));

  useLayoutEffect(() => {
    const element = drawing.current as HTMLDivElement;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (width === 0) return;
    const reader = { onRange: setZoom, onWhole: () => setZoom(undefined), onColumn: setColumn };
    plot.current = new Plot(drawing.current as HTMLDivElement, view, series, reader);
    return () => plot.current?.remove();
  }, [width === 0, series.join()]);
  useLayoutEffect(() => plot.current?.resize(width), [width]);
  useLayoutEffect(() => plot.current?.draw(view));

  const pointed = column === undefined ? undefined : view.columns[column];
  const each = `${spanText(view.stepMs)} each`;
  return (
    <section class="card chart" aria-labelledby="over-time">
      <div class="head">
        <h2 id="over-time">Over time</h2>
        <ul class="legend">
          {series.map((name) => (
            <li key={name}>
              <span class={`swatch ${name}`} aria-hidden="true" />
              {NAMES[name]}
            </li>
          ))}
        </ul>
      </div>
      <div class="plot" role="img" aria-label={chartText(view, series)} ref={drawing} />
      <div class="controls">
        <p class="readout" aria-hidden="true">
          {pointed ? columnText(pointed, view.stepMs, series) : each}
        </p>
        <Zoom {...{ range, overTime, isWhole: zoom === undefined, setZoom }} />
      </div>
      <OddTimes {...summary} />
      <details onToggle={({ currentTarget }) => setTold(currentTarget.open)}>
        <summary>As a table</summary>
        <section class="scroll" tabindex={0} aria-label="Decisions over time, as a table">
          {isTold && <TimeTable {...{ view, series, names: NAMES, kinds: sparedKinds(summary) }} />}
        </section>
      </details>
    </section>
  );
}

interface ZoomProps {
  readonly range: Range;
  readonly overTime: Summary["overTime"];
  readonly isWhole: boolean;
  setZoom(range: Range | undefined): void;
}

// Dragging needs a mouse. The buttons do the same.
function Zoom({ range, overTime, isWhole, setZoom }: ZoomProps) {
  const { from, to } = range;
  const length = to - from;
  const whole = wholeRange(overTime);
  const moved = (start: number, end: number) => () => setZoom(within({ from: start, to: end }, overTime));
  return (
    <fieldset class="zoom" aria-label="Range of the chart">
      <button
        type="button"
        disabled={length <= 4 * overTime.stepMs}
        onClick={moved(from + length / 4, to - length / 4)}
      >
        Zoom in
      </button>
      <button type="button" disabled={isWhole} onClick={moved(from - length / 2, to + length / 2)}>
        Zoom out
      </button>
      <button type="button" disabled={from <= whole.from} onClick={moved(from - length / 2, to - length / 2)}>
        Earlier
      </button>
      <button type="button" disabled={to >= whole.to} onClick={moved(from + length / 2, to + length / 2)}>
        Later
      </button>
      <button type="button" disabled={isWhole} onClick={() => setZoom(undefined)}>
        Whole
      </button>
    </fieldset>
  );
}

function columnText(column: Column, stepMs: number, series: readonly Series[]): string {
  const numbers = series.map((name) => `${whole.format(column[name])} ${NAMES[name].toLowerCase()}`);
  return `${moment.format(column.at)}, ${spanText(stepMs)}: ${numbers.join(", ")}, ${sparedText(column)}`;
}

function chartText({ columns, stepMs }: View, series: readonly Series[]): string {
  const names = series.map((name) => NAMES[name].toLowerCase()).join(", ");
  const [first, ...more] = columns;
  if (!first) return `Bar chart of ${names}`;
  const peak = more.reduce((most, column) => (column.refused > most.refused ? column : most), first);
  const spans = `${count(columns.length, "span", "spans")} of ${spanText(stepMs)}`;
  return `Bar chart of ${names} in ${spans}; most refused: ${columnText(peak, stepMs, series)}. The table below has every number.`;
}
