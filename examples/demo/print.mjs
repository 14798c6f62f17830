import { styleText } from "node:util";
import { fieldOf } from "./recorder.mjs";

const WIDTH = 96;
const MARGIN = " ".repeat(20);

// One format at a time: given a list of them, Node 20 heeds neither NO_COLOR nor that the output is no terminal.
const paint = (format, text) => styleText(format, text, { stream: process.stdout });
const bold = (text) => paint("bold", text);
const dim = (text) => paint("dim", text);
const statusColour = (status) => (status < 200 ? "cyan" : status < 300 ? "green" : "yellow");

export const count = (n) => n.toLocaleString("en-US");

export function printTitle(lines) {
  console.log(`\n${bold(lines[0])}`);
  for (const line of lines.slice(1)) console.log(dim(line));
}

/** Prints one exchange: what it shows, the command, the wire, the log, and what was checked. */
export function printExchange(number, scene, { recording, records, checks }) {
  console.log(`\n${dim("─".repeat(WIDTH))}`);
  console.log(`${bold(`${number}  ${scene.title}`)}\n`);
  for (const line of scene.command) console.log(`   ${paint("magenta", line)}`);
  console.log();
  for (const { at, mark, text } of transcript(recording)) {
    console.log(`   ${dim(at === undefined ? " ".repeat(10) : `${at.toFixed(1).padStart(7)} ms`)} ${mark} ${text}`);
  }
  const sent = recording.request?.bodyBytes ?? 0;
  console.log(`\n   ${dim("body bytes sent")}  ${bold(count(sent))}`);
  printRecords(records);
  printChecks(checks);
}

function transcript(recording) {
  const lines = [];
  // The time stands beside the first line of what went by together.
  const event = (at, mark, texts) => {
    for (const [i, text] of texts.entries()) lines.push({ at: i === 0 ? at : undefined, order: at, mark, text });
  };
  const up = paint("blue", "→");
  const down = paint("yellow", "←");
  const { request, serverEndedAt } = recording;
  if (request) {
    event(
      request.at,
      up,
      request.lines.map((line, i) => (i === 0 ? bold(line) : withoutSecret(line))),
    );
    if (request.bodyBytes > 0) {
      const until = `until ${request.bodyUntil.toFixed(1)} ms`;
      event(request.bodyFrom, up, [paint("blue", `${count(request.bodyBytes)} bytes of content (${until})`)]);
    }
    if (request.endedAt !== undefined) event(request.endedAt, up, [dim("the client ends the connection")]);
  }
  for (const { status, lines: head, at, body } of recording.responses) {
    const shown = head.map((line, i) => (i === 0 ? bold(paint(statusColour(status), line)) : line));
    const page = body === "" ? [] : ["", ...excerpt(body)].map(dim);
    event(at, down, [...shown, ...page]);
  }
  if (serverEndedAt !== undefined) event(serverEndedAt, down, [dim("the server ends the connection")]);
  return lines.sort((a, b) => a.order - b.order);
}

const BODY_LINES = 4;

function excerpt(body) {
  const lines = body.trimEnd().split("\n");
  return lines.length > BODY_LINES
    ? [...lines.slice(0, BODY_LINES), `… ${lines.length - BODY_LINES} more lines`]
    : lines;
}

function withoutSecret(line) {
  return fieldOf([line], "authorization") === undefined ? line : line.replace(/(\S+ )\S+$/, "$1…");
}

function printRecords(records) {
  if (records.length === 0) console.log(`   ${dim("log record")}       ${dim("none: nothing was refused")}`);
  for (const { level, message, details } of records) {
    console.log(`   ${dim("log record")}       ${paint("yellow", level)} ${message}`);
    const pairs = Object.entries(details).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
    for (const line of wrap(pairs, (pair) => pair.length)) console.log(`${MARGIN}${line.map(dim).join(dim(", "))}`);
  }
}

function printChecks(checks) {
  const lines = wrap(checks, ({ what }) => what.length + 2).map((line) => line.map(shownCheck).join("  "));
  console.log(`   ${dim("checked")}          ${lines.join(`\n${MARGIN}`)}`);
}

function shownCheck({ what, isTrue }) {
  return isTrue ? paint("green", `✓ ${what}`) : bold(paint("red", `✗ ${what}`));
}

/** Lays pieces out in rows that fit, two columns between them. */
function wrap(pieces, lengthOf) {
  const rows = [];
  let left = 0;
  for (const piece of pieces) {
    const length = lengthOf(piece) + 2;
    if (left < length) {
      rows.push([]);
      left = WIDTH - MARGIN.length;
    }
    rows.at(-1).push(piece);
    left -= length;
  }
  return rows;
}

export function printEnd(failed, total, elapsedMs) {
  const text =
    failed === 0
      ? paint("green", `All ${total} exchanges went as they say`)
      : paint("red", `${failed} of ${total} exchanges went otherwise than they say`);
  console.log(`\n${dim("─".repeat(WIDTH))}\n${bold(text)} (${(elapsedMs / 1000).toFixed(1)} s).\n`);
}
