import type { Connection } from "./connection.js";
import type { ExchangeSpec } from "./exchanges.js";
import type { ExchangeId, WireEvent } from "./result.js";
import { isContent, isContinue, isFinal, saysClose } from "./summary.js";
import { CLOSING_WATCH_MS, CURL_WAIT_MS, LONG_WATCH_MS, PAGE_MS, SECOND_MS, WATCH_MS } from "./timing.js";

/** What an exchange sends, and how long it waits. */
export interface Score {
  readonly spec: ExchangeSpec;
  readonly head: string;
  /** The harmless second request. */
  readonly secondHead: string;
  /** Framed; `undefined` where none may be sent. */
  readonly content: Buffer | undefined;
  readonly verdictMs: number;
  readonly finalMs: number;
}

/** How long a refusal is looked for behind the 100, where it could say more than the others. */
const WATCHED_MS: Partial<Readonly<Record<ExchangeId, number>>> = { withheld: LONG_WATCH_MS, large: WATCH_MS };

/** The most that the waits of an exchange take together. */
export function longestMs({ spec, content, verdictMs, finalMs }: Omit<Score, "head" | "secondHead">): number {
  const final = finalMs + PAGE_MS;
  switch (spec.play) {
    case "ask":
    case "push":
      return final + WATCH_MS;
    case "withhold":
      return verdictMs + PAGE_MS + LONG_WATCH_MS + SECOND_MS;
    case "handshake":
      return verdictMs + (content ? 2 * final : PAGE_MS) + WATCH_MS;
    case "late":
      return CURL_WAIT_MS + final + WATCH_MS;
    case "refrain":
      return WATCH_MS + final + WATCH_MS;
  }
}

/** Plays one exchange on a fresh connection. */
export async function play(connection: Connection, score: Score): Promise<void> {
  connection.sendHead("head", score.head);
  switch (score.spec.play) {
    case "ask":
      return ask(connection, score);
    case "push":
      return push(connection, score);
    case "withhold":
      return withhold(connection, score);
    case "handshake":
      return handshake(connection, score);
    case "late":
      return sendAfter(connection, score, CURL_WAIT_MS);
    case "refrain":
      return sendAfter(connection, score, WATCH_MS);
  }
}

async function ask(connection: Connection, score: Score): Promise<void> {
  if (await waitForFinal(connection, score)) await watchPage(connection);
}

async function push(connection: Connection, score: Score): Promise<void> {
  if (score.content) connection.sendContent(score.content);
  if (await waitForFinal(connection, score)) {
    await watchPage(connection);
    // A refusal whose connection breaks behind it is one that other clients lose.
    if (status(connection) >= 300) await watchEnd(connection);
  }
  if (connection.journal.isOver) await connection.watchReset(WATCH_MS);
}

async function withhold(connection: Connection, score: Score): Promise<void> {
  if (!(await waitForVerdict(connection, score))) return;
  const watchMs = WATCHED_MS[score.spec.id] ?? 0;
  if (!hasFinal(connection)) await connection.journal.until(() => hasFinal(connection), watchMs);
  if (!hasFinal(connection)) return;
  await watchPage(connection);
  await watchEnd(connection);
  if (!isReusable(connection) || connection.journal.has(isContinue)) return;
  if (score.spec.id !== "withheld" && score.spec.id !== "unknown") return;
  await second(connection, score, SECOND_MS);
}

async function handshake(connection: Connection, score: Score): Promise<void> {
  if (!(await waitForVerdict(connection, score))) return;
  if (!hasFinal(connection)) {
    if (!score.content) return void (await connection.journal.until(() => hasFinal(connection), WATCH_MS));
    connection.sendContent(score.content);
    if (!(await waitForFinal(connection, score))) return;
  }
  await watchPage(connection);
  if (!connection.journal.has(isContent)) return watchEnd(connection);
  if (score.spec.id === "sent" && isReusable(connection)) await second(connection, score, score.finalMs);
}

async function sendAfter(connection: Connection, score: Score, delayMs: number): Promise<void> {
  const isDecided = await connection.journal.until(() => hasFinal(connection), delayMs);
  if (connection.journal.isOver && !isDecided) return;
  if (!isDecided) {
    if (!connection.journal.has(isContinue)) {
      connection.journal.add({ kind: "quiet", ms: delayMs, waitedFor: "a 100 or a final response" });
    }
    if (!score.content) return;
    connection.sendContent(score.content);
    if (!(await waitForFinal(connection, score))) return;
  }
  await watchPage(connection);
  await watchEnd(connection);
}

async function second(connection: Connection, score: Score, ms: number): Promise<void> {
  connection.sendHead("second head", score.secondHead);
  const before = finals(connection);
  await connection.journal.waitFor("an answer to a second request", () => finals(connection) > before, ms);
}

function waitForVerdict(connection: Connection, { verdictMs }: Score): Promise<boolean> {
  return connection.journal.waitFor("a 100 or a final response", () => hasVerdict(connection), verdictMs);
}

function waitForFinal(connection: Connection, { finalMs }: Score): Promise<boolean> {
  return connection.journal.waitFor("a final response", () => hasFinal(connection), finalMs);
}

async function watchPage({ journal }: Connection): Promise<void> {
  await journal.until(() => journal.has(({ kind }) => kind === "complete"), PAGE_MS);
}

// Whatever comes behind the final response within a short time: the connection's end, another 100.
async function watchEnd({ journal }: Connection): Promise<void> {
  const final = journal.events.find(isFinal);
  // That it ends is said, and nothing under way can be lost.
  const isSaid = final !== undefined && saysClose(final) && !journal.has(isContent);
  await journal.until(() => journal.isOver, isSaid ? CLOSING_WATCH_MS : WATCH_MS);
}

function isReusable(connection: Connection): boolean {
  const { journal } = connection;
  const final = journal.events.find(isFinal);
  const isComplete = journal.has(({ kind }) => kind === "complete");
  return final !== undefined && isComplete && !journal.isOver && !saysClose(final);
}

function finals({ journal }: Connection): number {
  return journal.events.filter(isFinal).length;
}

function hasFinal(connection: Connection): boolean {
  return finals(connection) > 0;
}

function hasVerdict(connection: Connection): boolean {
  return connection.journal.has((event: WireEvent) => isContinue(event) || isFinal(event));
}

function status({ journal }: Connection): number {
  return journal.events.find(isFinal)?.status ?? 0;
}
