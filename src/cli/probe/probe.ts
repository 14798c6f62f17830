import { createInterface } from "node:readline/promises";
import { size } from "../../probe/describe.js";
import { EXCHANGES } from "../../probe/exchanges.js";
import { renderProbePage } from "../../probe/page/page.js";
import { type Consent, probeUrl } from "../../probe/probe.js";
import type { ProbeRequest } from "../../probe/request.js";
import { shownUrl } from "../../probe/shown.js";
import type { Command, Terminal } from "../command.js";
import { FileError, writeWhole } from "../files.js";
import { ERASE_LINE, paintOf, print } from "../terminal.js";
import { UsageError, WRONG_USAGE } from "../usage.js";
import { PROBE_HELP } from "./help.js";
import { type ProbeOptions, parseProbeArgs } from "./options.js";
import { probeText, verdictLine } from "./text.js";

/** The command `probe`: shows what happens on the wire to an upload with `Expect: 100-continue`. */
export const probe: Command = async (args, terminal) => {
  let options: ProbeOptions | "help";
  try {
    options = parseProbeArgs(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.stderr.write(`express-expectations probe: ${error.message}\n`);
    return WRONG_USAGE;
  }
  if (options === "help") {
    return print(terminal.stdout, PROBE_HELP);
  }
  const progress = progressOf(terminal, options.isQuiet);
  const result = await probeUrl(options.request, await consentOf(options, terminal), progress.step);
  progress.end();
  const paint = paintOf(terminal);
  if (options.isJson) await print(terminal.stdout, `${JSON.stringify(result, undefined, 2)}\n`);
  else await print(terminal.stdout, options.isQuiet ? `${verdictLine(result, paint)}\n` : probeText(result, paint));
  if (options.html === undefined) return result.verdict.exitCode;
  try {
    await writeWhole(options.html, renderProbePage(result));
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    terminal.stderr.write(`express-expectations probe: --html: ${error.message}\n`);
    return WRONG_USAGE;
  }
  return result.verdict.exitCode;
};

async function consentOf({ yes, request }: ProbeOptions, { stdin, stderr }: Terminal): Promise<Consent> {
  const senders = EXCHANGES.filter(({ id, sendsContent }) => sendsContent && (request.only?.has(id) ?? true));
  if (yes) return "sent";
  if (!stdin.isTTY || !stderr.isTTY || senders.length === 0) return "not confirmed";
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

function uploads({ method, url, via, content, pushedContent }: ProbeRequest, count: number): string {
  const most = size(Math.max(content.length, pushedContent.length));
  const where = [url, ...(via ? [via] : [])].map(shownUrl).join(" and to ");
  return `${count} exchanges ${method} content of up to ${most} to ${where}`;
}

interface Progress {
  readonly step: (spec: { readonly title: string }, index: number, total: number) => void;
  readonly end: () => void;
}

function progressOf({ stderr }: Terminal, isQuiet: boolean): Progress {
  if (isQuiet || !stderr.isTTY) return { step: () => {}, end: () => {} };
  return {
    step: ({ title }, index, total) => void stderr.write(`${ERASE_LINE}${index + 1}/${total} ${title}`),
    end: () => void stderr.write(ERASE_LINE),
  };
}
