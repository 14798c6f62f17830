import type { ExchangeId } from "./exchange-result.js";
import type { ExchangePlan } from "./plan.js";
import { isContent, isContinue, isFinal, saysClose } from "./summary.js";
import { CURL_WAIT_MS, LONG_WATCH_MS, SECOND_MS, WATCH_MS } from "./timing.js";
import { hasFinal, waitForFinal, waitForVerdict, watchEnd, watchPage } from "./waits.js";
import type { Connection } from "./wire/connection.js";
import type { Journal } from "./wire/journal.js";

/** How long an exchange waits for a refusal after the 100, if the refusal could show something new. */
const WATCHED_MS: Partial<Readonly<Record<ExchangeId, number>>> = { withheld: LONG_WATCH_MS, large: WATCH_MS };

/** Runs one HTTP/1 exchange on a new connection. */
export async function runExchange(connection: Connection, plan: ExchangePlan): Promise<void> {
  connection.sendHead("head", plan.head);
  switch (plan.spec.flow) {
    case "ask":
      return ask(connection, plan);
    case "push":
      return push(connection, plan);
    case "withhold":
      return withhold(connection, plan);
    case "handshake":
      return handshake(connection, plan);
    case "late":
      return sendAfter(connection, plan, CURL_WAIT_MS);
    case "refrain":
      return sendAfter(connection, plan, WATCH_MS);
  }
}

async function ask(connection: Connection, plan: ExchangePlan): Promise<void> {
  if (await waitForFinal(connection.journal, plan.finalMs)) await watchPage(connection.journal);
}

async function push(connection: Connection, plan: ExchangePlan): Promise<void> {
  if (plan.content) connection.sendContent(plan.content);
  if (await waitForFinal(connection.journal, plan.finalMs)) {
    await watchPage(connection.journal);
    // If the connection breaks after a refusal, other clients lose that refusal.
    if (status(connection.journal) >= 300) await watchEnd(connection.journal);
  }
  if (connection.journal.isOver) await connection.watchReset(WATCH_MS);
}

async function withhold(connection: Connection, plan: ExchangePlan): Promise<void> {
  if (!(await waitForVerdict(connection.journal, plan.verdictMs))) return;
  const watchMs = WATCHED_MS[plan.spec.id] ?? 0;
  if (!hasFinal(connection.journal)) await connection.journal.until(() => hasFinal(connection.journal), watchMs);
  if (!hasFinal(connection.journal)) return;
  await watchPage(connection.journal);
  await watchEnd(connection.journal);
  if (!isReusable(connection.journal) || connection.journal.has(isContinue)) return;
  if (plan.spec.id !== "withheld" && plan.spec.id !== "unknown") return;
  await second(connection, plan, SECOND_MS);
}

async function handshake(connection: Connection, plan: ExchangePlan): Promise<void> {
  if (!(await waitForVerdict(connection.journal, plan.verdictMs))) return;
  if (!hasFinal(connection.journal)) {
    if (!plan.content) return void (await connection.journal.until(() => hasFinal(connection.journal), WATCH_MS));
    connection.sendContent(plan.content);
    if (!(await waitForFinal(connection.journal, plan.finalMs))) return;
  }
  await watchPage(connection.journal);
  if (!connection.journal.has(isContent)) return watchEnd(connection.journal);
  if (plan.spec.id === "sent" && isReusable(connection.journal)) await second(connection, plan, plan.finalMs);
}

async function sendAfter(connection: Connection, plan: ExchangePlan, delayMs: number): Promise<void> {
  const isDecided = await connection.journal.until(() => hasFinal(connection.journal), delayMs);
  if (connection.journal.isOver && !isDecided) return;
  if (!isDecided) {
    if (!connection.journal.has(isContinue)) {
      connection.journal.add({ kind: "quiet", ms: delayMs, waitedFor: "a 100 or a final response" });
    }
    if (!plan.content) return;
    connection.sendContent(plan.content);
    if (!(await waitForFinal(connection.journal, plan.finalMs))) return;
  }
  await watchPage(connection.journal);
  await watchEnd(connection.journal);
}

async function second(connection: Connection, plan: ExchangePlan, ms: number): Promise<void> {
  connection.sendHead("second head", plan.secondHead);
  const before = finals(connection.journal);
  await connection.journal.waitFor("an answer to a second request", () => finals(connection.journal) > before, ms);
}

function isReusable(journal: Journal): boolean {
  const final = journal.events.find(isFinal);
  const isComplete = journal.has(({ kind }) => kind === "complete");
  return final !== undefined && isComplete && !journal.isOver && !saysClose(final);
}

function finals(journal: Journal): number {
  return journal.events.filter(isFinal).length;
}

function status(journal: Journal): number {
  return journal.events.find(isFinal)?.status ?? 0;
}
