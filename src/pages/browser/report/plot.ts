import uPlot from "uplot";
import { type Range, STEPS, type View } from "./columns.js";
import { day, minutes, sameDay, seconds, whole } from "./texts.js";

/** The series of the chart, from the bottom to the top of a column. */
export type Series = "refused" | "errors" | "accepted";

/** What the reader does with the chart. */
export interface PlotReader {
  /** A range was marked with the mouse. */
  onRange(range: Range): void;
  /** The whole range is wanted. */
  onWhole(): void;
  /** The mouse is over a column; `undefined` when it has left. */
  onColumn(index: number | undefined): void;
}

const HEIGHT = 216;
const LEAST_HEIGHT = 2;
const WIDEST_BAR = 56;
/** 1, 2, 5, 10, 20, 50 and so on. */
const COUNTS = Array.from({ length: 36 }, (_, i) => ([1, 2, 5][i % 3] ?? 1) * 10 ** Math.floor(i / 3));

/** Names of system colours, for readers whose system chooses all colours. */
const FORCED: Readonly<Record<string, string>> = {
  refused: "CanvasText",
  errors: "Highlight",
  accepted: "GrayText",
  muted: "CanvasText",
  line: "GrayText",
};

const forcedColors = matchMedia("(forced-colors: active)");
const darkScheme = matchMedia("(prefers-color-scheme: dark)");

function colour(name: string): string {
  if (forcedColors.matches) return FORCED[name] ?? "CanvasText";
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
}

/** Draws columns on a canvas. A range is chosen by dragging. */
export class Plot {
  readonly #plot: uPlot;
  #view: View;
  #series: readonly Series[];

  constructor(element: HTMLElement, view: View, series: readonly Series[], reader: PlotReader) {
    this.#view = view;
    this.#series = series;
    this.#plot = new uPlot(this.#options(element.clientWidth, reader), this.#data(), element);
    for (const query of [forcedColors, darkScheme]) query.addEventListener("change", this.#repaint);
  }

  /** Draws other columns, or more of them. */
  draw(view: View): void {
    this.#view = view;
    this.#plot.setData(this.#data(), false);
    this.#plot.batch(() => {
      this.#plot.setScale("x", { min: view.from, max: view.to });
      this.#plot.setScale("y", { min: 0, max: this.#top() });
    });
  }

  /** Follows the width of the element. */
  resize(width: number): void {
    this.#plot.setSize({ width, height: HEIGHT });
  }

  /** Removes the chart. */
  remove(): void {
    for (const query of [forcedColors, darkScheme]) query.removeEventListener("change", this.#repaint);
    this.#plot.destroy();
  }

  readonly #repaint = (): void => this.#plot.redraw();

  #options(width: number, reader: PlotReader): uPlot.Options {
    const font = "11px system-ui, sans-serif";
    const lines = { stroke: () => colour("line"), width: 1 };
    const axis = { font, stroke: () => colour("muted"), grid: lines, ticks: { ...lines, size: 5 } };
    const bars = (uPlot.paths.bars as uPlot.Series.BarsPathBuilderFactory)({ size: [0.8, WIDEST_BAR], align: 1 });
    return {
      width,
      height: HEIGHT,
      ms: 1,
      legend: { show: false },
      // A label at the right end needs the room.
      padding: [8, 26, 0, 0],
      scales: {
        x: { time: true, range: () => [this.#view.from, this.#view.to] },
        y: { range: () => [0, this.#top()] },
      },
      axes: [
        {
          ...axis,
          incrs: [...STEPS],
          grid: { show: false },
          size: 38,
          space: 72,
          values: (_plot, splits) => splits.map(timeLabel),
        },
        {
          ...axis,
          incrs: COUNTS,
          size: (_plot, values) => 14 + 7 * Math.max(1, ...(values ?? []).map(({ length }) => length)),
          values: (_plot, splits) => splits.map((value) => whole.format(value)),
        },
      ],
      series: [
        {},
        // The highest column is drawn first, and the others in front of it.
        ...[...this.#series].reverse().map((name) => ({
          paths: bars,
          fill: () => colour(name),
          stroke: () => colour(name),
          width: 0,
          points: { show: false },
        })),
      ],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: 5 },
        dataIdx: (_plot, _series, _closest, x) => this.#indexAt(x),
        bind: {
          dblclick: () => () => {
            reader.onWhole();
            return null;
          },
        },
      },
      hooks: {
        setCursor: [({ cursor }) => reader.onColumn((cursor.left ?? -1) < 0 ? undefined : (cursor.idx ?? undefined))],
        setSelect: [
          (plot) => {
            const { left, width: marked } = plot.select;
            if (marked <= 0) return;
            const range = { from: plot.posToVal(left, "x"), to: plot.posToVal(left + marked, "x") };
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            reader.onRange(range);
          },
        ],
      },
    };
  }

  #indexAt(x: number): number {
    const { columns } = this.#view;
    const index = columns.findLastIndex(({ at }) => at <= x);
    return Math.max(0, index);
  }

  #top(): number {
    const sums = this.#view.columns.map((column) => this.#series.reduce((sum, name) => sum + column[name], 0));
    const most = Math.max(1, ...sums);
    const step = COUNTS.find((count) => count >= most / 4) ?? most;
    return Math.ceil(most / step) * step;
  }

  // Each series as the sum of itself and those below it. What is not 0 can be seen.
  #data(): uPlot.AlignedData {
    const { columns } = this.#view;
    const least = (this.#top() * LEAST_HEIGHT) / HEIGHT;
    const heights = columns.map(() => 0);
    const stacked = this.#series.map((name) => {
      columns.forEach((column, i) => {
        if (column[name] > 0) heights[i] = (heights[i] ?? 0) + Math.max(column[name], least);
      });
      return [...heights];
    });
    return [columns.map(({ at }) => at), ...stacked.reverse()];
  }
}

// The day stands beneath the first label, and beneath the first one of each day.
function timeLabel(at: number, i: number, all: readonly number[]): string {
  const date = new Date(at);
  const step = (all[1] ?? at) - (all[0] ?? at);
  if (step >= 86_400_000) return day.format(date);
  const ofDay = (step > 0 && step < 60_000 ? seconds : minutes).format(date);
  const before = all[i - 1];
  return before !== undefined && sameDay(new Date(before), date) ? ofDay : `${ofDay}\n${day.format(date)}`;
}
