// Draws the picture of the README, for light and dark pages: a part of `npm run docs`. `--check` fails if it differs.
import { readFileSync, writeFileSync } from "node:fs";

const THEMES = {
  light: { ink: "#1f2328", faint: "#59636e", line: "#d1d9e0", bad: "#cf222e", good: "#1a7f37" },
  dark: { ink: "#e6edf3", faint: "#9198a1", line: "#3d444d", bad: "#ff7b72", good: "#3fb950" },
};
const WIDTH = 760;
const TOP = 92;
const STEP = 44;

/** `to`: 1 from the client to the server, -1 back. */
const WITHOUT = {
  title: "Node alone",
  x: 30,
  steps: [
    { to: 1, text: "PUT, Expect: 100-continue" },
    { to: -1, text: "100 Continue" },
    { to: 1, text: "100 MiB", tone: "bad", width: 7 },
    { to: -1, text: "413" },
  ],
  sum: "100 MiB sent for nothing",
  tone: "bad",
};
const WITH = {
  title: "with express-expectations",
  x: 410,
  steps: [
    { to: 1, text: "PUT, Expect: 100-continue" },
    { to: -1, text: "413", tone: "good" },
  ],
  sum: "0 bytes sent",
  tone: "good",
};

function arrow({ to, text, tone, width = 2 }, x, y, theme) {
  const [left, right] = [x + 40, x + 280];
  const [from, tip] = to === 1 ? [left, right] : [right, left];
  const color = theme[tone] ?? theme.faint;
  const neck = tip - to * 10;
  return [
    `<text x="${(left + right) / 2}" y="${y - 9}" text-anchor="middle" fill="${theme[tone] ?? theme.ink}">${text}</text>`,
    `<path d="M${from} ${y}H${neck}" stroke="${color}" stroke-width="${width}"/>`,
    `<path d="M${tip} ${y}l${-to * (10 + width)} ${-4 - width}v${8 + 2 * width}z" fill="${color}"/>`,
  ];
}

function side({ title, x, steps, sum, tone }, theme) {
  const bottom = TOP + 4 * STEP - 16;
  const pole = (at, name) => [
    `<text x="${at}" y="58" text-anchor="middle" fill="${theme.faint}">${name}</text>`,
    `<path d="M${at} 66V${bottom}" stroke="${theme.line}" stroke-width="2"/>`,
  ];
  return [
    `<text x="${x + 160}" y="26" text-anchor="middle" font-weight="600" fill="${theme.ink}">${title}</text>`,
    ...pole(x + 40, "client"),
    ...pole(x + 280, "server"),
    ...steps.flatMap((step, i) => arrow(step, x, TOP + 12 + i * STEP, theme)),
    `<text x="${x + 160}" y="${bottom + 32}" text-anchor="middle" font-weight="600" fill="${theme[tone]}">${sum}</text>`,
  ];
}

for (const [name, theme] of Object.entries(THEMES)) {
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="300" viewBox="0 0 ${WIDTH} 300" role="img"`,
    `  font-family="system-ui, sans-serif" font-size="14" fill="none">`,
    "<title>An upload of 100 MiB that is refused: without and with express-expectations</title>",
    `<path d="M${WIDTH / 2} 16V284" stroke="${theme.line}"/>`,
    ...side(WITHOUT, theme),
    ...side(WITH, theme),
    "</svg>",
  ];
  const file = new URL(`../docs/handshake-${name}.svg`, import.meta.url);
  const picture = `${lines.join("\n")}\n`;
  if (!process.argv.includes("--check")) writeFileSync(file, picture);
  else if (readFileSync(file, "utf8") !== picture) {
    process.stdout.write("The picture of the README differs from .ci/handshake-picture.mjs: run `npm run docs`\n");
    process.exitCode = 1;
  }
}
