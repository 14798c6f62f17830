// Plots as SVG, light and dark.
const STYLE = `<style>
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .note { fill: #57606a } .axis { stroke: #d0d7de } .ours { fill: #0969da; stroke: #0969da } .theirs { fill: #8c959f; stroke: #8c959f }
  path { fill: none; stroke-width: 2 } path.ours, path.theirs { fill: none }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .note { fill: #9198a1 } .axis { stroke: #3d444d } .ours { fill: #4493f8; stroke: #4493f8 } .theirs { fill: #656c76; stroke: #656c76 } }
</style>`;

const isOurs = (name) => name.startsWith("package");
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

function svg(width, height, title, content) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">\n${STYLE}\n<text x="0" y="16" font-weight="600">${escaped(title)}</text>\n${content.join("\n")}\n</svg>\n`;
}

/** CPU time of one refusal, a bar for each server. */
export function refusalPlot({ workloads, node }) {
  const bars = Object.entries(workloads.refuse).filter(([, one]) => !one.missing);
  const most = Math.max(...bars.map(([, { cpuUs }]) => cpuUs));
  const content = bars.flatMap(([name, { cpuUs }], i) => {
    const y = 34 + i * 26;
    const length = (cpuUs / most) * 360;
    return [
      `<text x="212" y="${y + 13}" text-anchor="end">${escaped(name)}</text>`,
      `<rect class="${isOurs(name) ? "ours" : "theirs"}" x="220" y="${y}" width="${length.toFixed(1)}" height="18" rx="2"/>`,
      `<text class="note" x="${(228 + length).toFixed(1)}" y="${y + 13}">${cpuUs.toFixed(0)} µs</text>`,
    ];
  });
  return svg(680, 46 + bars.length * 26, `Server CPU of refusing a declared 100 MiB (Node ${node})`, content);
}

/** CPU time of one refusal by the number of handshakes that are pending, both axes logarithmic in their steps. */
export function growthPlot({ growth, node }) {
  const series = Object.entries(growth);
  const most = Math.max(...series.flatMap(([, points]) => points.map(({ cpuUs }) => cpuUs)));
  const x = (connections) => 60 + (Math.log10(connections) - 1) * 160;
  const y = (cpuUs) => 230 - (cpuUs / most) * 180;
  const content = [`<line class="axis" x1="60" y1="230" x2="560" y2="230"/>`];
  for (const { connections } of series[0][1]) {
    content.push(`<text class="note" x="${x(connections)}" y="250" text-anchor="middle">${connections}</text>`);
  }
  series.forEach(([name, points], i) => {
    const kind = isOurs(name) ? "ours" : "theirs";
    const dash = i === 2 ? ' stroke-dasharray="6 4"' : "";
    content.push(
      `<path class="${kind}"${dash} d="M${points.map((point) => `${x(point.connections).toFixed(1)},${y(point.cpuUs).toFixed(1)}`).join(" L")}"/>`,
      ...points.map(
        (point) =>
          `<circle class="${kind}" cx="${x(point.connections).toFixed(1)}" cy="${y(point.cpuUs).toFixed(1)}" r="3"/>`,
      ),
      `<text x="552" y="${(y(points.at(-1).cpuUs) - 8).toFixed(1)}">${escaped(name)}, ${points.at(-1).cpuUs.toFixed(0)} µs</text>`,
    );
  });
  return svg(760, 262, `Server CPU of a refusal while so many handshakes are pending (Node ${node})`, content);
}
