import { createInterface } from "node:readline/promises";
import { setTimeout } from "node:timers/promises";
import { bytesText } from "../../pages/bytes.js";
import { EXCHANGES } from "../../probe/exchanges.js";
import { ProbeFault } from "../../probe/fault.js";
import { harOf } from "../../probe/har.js";
import { renderProbePage } from "../../probe/page/page.js";
import { type Consent, probeUrl } from "../../probe/probe.js";
import { followRedirects } from "../../probe/redirects.js";
import type { ProbeRequest } from "../../probe/request.js";
import type { ProbeResult } from "../../probe/result.js";
import { escaped, shownUrl } from "../../probe/shown.js";
import { connect } from "../../probe/wire/connect.js";
import type { Command, Terminal } from "../command.js";
import { FileError, writeWhole } from "../files.js";
import { ERASE_LINE, isErasable, paintOf, print, widthOfText } from "../terminal.js";
import { type ProbeOptions, parseProbeArgs } from "./options.js";
import { probeText, verdictLine } from "./text.js";

const UNREACHABLE = 3;
const NOT_WRITTEN = 3;

/** The command `probe`: shows what happens on the wire to an upload with `Expect: 100-continue`. */
export const probe: Command = async (args, terminal) => {
  const options = parseProbeArgs(args);
  try {
    const request = options.followsRedirects ? await followRedirects(options.request) : options.request;
    if (request !== options.request && !options.isQuiet) {
      terminal.stderr.write(`redirected to ${shownUrl(request.url)}\n`);
    }
    return await run({ ...options, request }, terminal);
  } catch (error) {
    if (error instanceof ProbeFault) return fail(terminal, escaped(error.message), UNREACHABLE);
    if (error instanceof FileError) return fail(terminal, error.message, NOT_WRITTEN);
    throw error;
  }
};

function fail({ stderr }: Terminal, message: string, code: number): number {
  stderr.write(`express-expectations probe: ${message}\n`);
  return code;
}

async function run(options: ProbeOptions, terminal: Terminal): Promise<number> {
  const consent = await consentOf(options, terminal);
  const paint = paintOf(terminal, options.color);
  for (;;) {
    const progress = progressOf(terminal, options.isQuiet);
    const result = await probeUrl(options.request, consent, progress.step);
    progress.end();
    if (options.watchMs === undefined || result.verdict.outcome === "healthy") return show(result, options, terminal);
    terminal.stderr.write(`${new Date().toISOString().slice(11, 19)}Z ${verdictLine(result, paint)}\n`);
    await setTimeout(options.watchMs);
  }
}

async function show(result: ProbeResult, options: ProbeOptions, terminal: Terminal): Promise<number> {
  const paint = paintOf(terminal, options.color);
  const { isVerbose } = options;
  if (options.isJson) await print(terminal.stdout, `${JSON.stringify(result, undefined, 2)}\n`);
  else if (options.isQuiet) await print(terminal.stdout, `${verdictLine(result, paint)}\n`);
  else await print(terminal.stdout, probeText(result, { paint, width: widthOfText(terminal), isVerbose }));
  if (options.har !== undefined) await writeWhole(options.har, `${JSON.stringify(harOf(result), undefined, 2)}\n`);
  if (options.html !== undefined) await writeWhole(options.html, renderProbePage(result));
  return result.verdict.exitCode;
}

async function consentOf({ yes, request }: ProbeOptions, { stdin, stderr }: Terminal): Promise<Consent> {
  const senders = EXCHANGES.filter(({ id, sendsContent }) => sendsContent && (request.only?.has(id) ?? true));
  if (yes) return "sent";
  if (!stdin.isTTY || !stderr.isTTY || senders.length === 0) return "not confirmed";
  // Where nothing listens, there is nothing to ask about.
  if (!(await isListening(request))) return "not confirmed";
  const terminal = createInterface({ input: stdin, output: stderr });
  const question = `${uploads(request, senders.length)}, which it might store. Send them? [y/N] `;
  try {
    const answer = await Promise.race([
      terminal.question(question),
      new Promise<string>((resolve) => terminal.once("close", () => resolve(""))),
    ]);
    return /^y(?:es)?$/i.test(answer.trim()) ? "sent" : "declined";
  } finally {
    terminal.close();
  }
}

async function isListening(request: ProbeRequest): Promise<boolean> {
  try {
    (await connect(request, request.url, ["http/1.1"])).destroy();
    return true;
  } catch (error) {
    if (error instanceof ProbeFault) return false;
    throw error;
  }
}

function uploads({ method, url, via, content, pushedContent }: ProbeRequest, count: number): string {
  const most = bytesText(Math.max(content.length, pushedContent.length));
  const where = [url, ...(via ? [via] : [])].map(shownUrl).join(" and to ");
  return `${count} exchanges ${method} content of up to ${most} to ${where}`;
}

interface Progress {
  readonly step: (spec: { readonly title: string }, index: number, total: number) => void;
  readonly end: () => void;
}

function progressOf({ stderr, env }: Terminal, isQuiet: boolean): Progress {
  if (isQuiet || !isErasable(stderr, env)) return { step: () => {}, end: () => {} };
  return {
    step: ({ title }, index, total) => void stderr.write(`${ERASE_LINE}${index + 1}/${total} ${title}`),
    end: () => void stderr.write(ERASE_LINE),
  };
}
