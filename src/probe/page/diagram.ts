import { escapeHtml } from "../../pages/html.js";
import type { ExchangeResult } from "../exchange-result.js";
import { type Row, rowsOf } from "./diagram-rows.js";

/** The lifelines of a diagram, from left to right. The first one is the client. */
export interface Hops {
  readonly names: readonly string[];
  /** The index of the lifeline that receives the client's messages. Nothing is known about those after it. */
  readonly peer: number;
}

const WIDTH = 360;
const AXIS = 48;
const CLIENT = 64;
const TOP = 34;
const CHARACTER = 6.6;

/** The x coordinates of the lifelines, by their number. */
const LIFELINES: Readonly<Record<number, readonly number[]>> = {
  2: [CLIENT, 332],
  3: [CLIENT, 256, 334],
};

/**
 * Returns a sequence diagram of an exchange as SVG. Time runs downwards, and bars are content.
 *
 * Distances grow with the logarithm of the time between two events, and bars with the logarithm of their bytes.
 *
 * @param isBad - whether the exchange is not as expected.
 */
export function diagramOf(exchange: ExchangeResult, hops: Hops, isBad: boolean): string {
  const xs = LIFELINES[hops.names.length] as readonly number[];
  const [client, peer] = [xs[0] as number, xs[hops.peer] as number];
  const parts: string[] = [];
  let y = TOP;
  let lastMs = 0;
  let lastTime = "";
  const rows = rowsOf(exchange, isBad);
  for (const row of rows) {
    const thick = row.bytes === undefined ? 0 : thickness(row.bytes);
    const from = y;
    y += 24 + thick / 2 + distance((row.atMs ?? lastMs) - lastMs);
    const time = row.atMs === undefined ? "" : timeOf(row.atMs);
    if (time !== "" && time !== lastTime) parts.push(tick(y, time));
    parts.push(svgOfRow(row, { client, peer, y, from, thick }));
    y += thick / 2;
    lastMs = row.atMs ?? lastMs;
    lastTime = time;
  }
  const height = y + 14;
  const label = `${exchange.id}: ${textOfDiagram(rows, hops)}`;
  return `<svg class="diagram" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeHtml(label)}">
${lifelines(hops, xs, height)}
<text class="unit" x="${AXIS - 6}" y="14" text-anchor="end">ms</text>
${parts.join("\n")}
</svg>`;
}

function lifelines({ names, peer }: Hops, xs: readonly number[], height: number): string {
  const unseen = xs.slice(peer).length > 1;
  const lines = names.map((name, i) => {
    const x = xs[i] as number;
    const anchor = i === 0 ? "start" : i === names.length - 1 ? "end" : "middle";
    const at = i === 0 ? x - 14 : i === names.length - 1 ? Math.min(WIDTH - 2, x + 24) : x;
    return `<text class="hop" x="${at}" y="14" text-anchor="${anchor}">${escapeHtml(name)}</text><path class="${i > peer ? "lifeline unseen" : "lifeline"}" d="M${x} 22V${height}"/>`;
  });
  const [near, far] = [xs[peer] as number, xs[peer + 1] as number];
  const hidden = unseen
    ? `<text class="unit" x="${(near + far) / 2}" y="${TOP + 6}" text-anchor="middle">not seen</text>`
    : "";
  return lines.join("\n") + hidden;
}

interface Place {
  readonly client: number;
  readonly peer: number;
  readonly y: number;
  /** The y coordinate at which the row before it ended. */
  readonly from: number;
  readonly thick: number;
}

function svgOfRow(row: Row, { client, peer, y, from, thick }: Place): string {
  const { shape, towards, tone, text } = row;
  const middle = (client + peer) / 2;
  const label = (at: number) =>
    `<text x="${middle}" y="${at}" text-anchor="middle">${escapeHtml(shortened(text, (peer - client - 12) / CHARACTER))}</text>`;
  const [start, end] = towards === "peer" ? [client, peer] : [peer, client];
  const sign = Math.sign(end - start);
  switch (shape) {
    case "wait":
      return `<g class="${tone}"><rect class="wait" x="${client - 4}" y="${from + 4}" width="8" height="${y - from}"/><text x="${client + 10}" y="${(from + y) / 2 + 8}">${escapeHtml(text)}</text></g>`;
    case "gap":
      return `<g class="${tone}"><rect class="gap" x="${client + 6}" y="${y - thick / 2}" width="${peer - client - 12}" height="${thick}"/>${label(y - thick / 2 - 5)}</g>`;
    case "bar": {
      const [half, tip] = [thick / 2, end - sign * 2];
      const neck = tip - sign * (half + 3);
      const d = `M${start + sign * 3} ${y - half}H${neck}V${y - half - 3}L${tip} ${y}L${neck} ${y + half + 3}V${y + half}H${start + sign * 3}Z`;
      return `<g class="${tone}"><path class="bar" d="${d}"/>${label(y - half - 7)}</g>`;
    }
    case "arrow": {
      const tip = end - sign * 2;
      return `<g class="${tone}"><path class="arrow" d="M${start} ${y}H${tip - sign * 6}"/><path class="tip" d="M${tip} ${y}l${-sign * 8} -4v8z"/>${label(y - 5)}</g>`;
    }
  }
}

function tick(y: number, time: string): string {
  return `<path class="tick" d="M${AXIS} ${y}H${CLIENT}"/><text class="time" x="${AXIS - 4}" y="${y + 3.5}" text-anchor="end">${time}</text>`;
}

function distance(ms: number): number {
  return Math.round(10 * Math.log10(1 + Math.max(0, ms)));
}

function thickness(bytes: number): number {
  return Math.round(Math.min(32, 3 + 1.15 * Math.log2(1 + bytes / 64)));
}

function timeOf(ms: number): string {
  return ms < 100 ? ms.toFixed(1) : ms.toFixed(0);
}

function shortened(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, Math.floor(characters) - 1)}…`;
}

/** Returns the diagram as text, for screen readers. */
function textOfDiagram(rows: readonly Row[], { names, peer }: Hops): string {
  const there = names[peer] as string;
  const steps = rows.map(({ atMs, shape, towards, text }) => {
    const when = atMs === undefined ? "" : `${timeOf(atMs)} ms, `;
    if (shape === "wait" || shape === "gap") return `${when}${text}`;
    const what = shape === "bar" ? `${text} of content` : text;
    return `${when}${towards === "peer" ? `client to ${there}` : `${there} to client`}: ${what}`;
  });
  return steps.join("; ");
}
