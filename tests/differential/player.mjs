// Plays one case against one server, and waits for the server by asking it: nothing rests on how long a silence lasts.
import { KEY } from "../fuzz/cases.mjs";
import { Client } from "../fuzz/client.mjs";
import { parseResponses } from "../fuzz/responses.mjs";

/** How long any wait may take before it counts as hung, in milliseconds. */
const DEADLINE_MS = 15_000;
const SENTINEL = "99999999";

/**
 * Plays a case.
 *
 * @returns what was seen: `{ sent, responses, finals, fault, log, end, sentinel, hang, error, text }`. `end` is `"kept"` or
 *   `"closed"`, before the client's own end. `sentinel` tells whether a further request on a kept connection ran.
 */
export async function play(oneCase, server) {
  const client = new Player(server);
  await client.until("connected", () => client.isConnected);
  for (const step of numbered(oneCase.steps)) {
    if (client.isClosed || client.hang) break;
    await client.take(step);
  }
  if (!oneCase.isUnsettled) await client.settle();
  const end = client.isEnding ? "closed" : "kept";
  const answered = client.finals.length;
  const inTime = client.responses.length;
  const { sent } = client;
  if (end === "kept" && !oneCase.isUnsettled && !client.hang) {
    client.send(`GET /no-read/${SENTINEL} HTTP/1.1\r\nHost: test\r\n\r\n`);
    await client.settle();
  }
  client.end();
  await client.until("closed behind the client's end", () => client.isClosed);
  client.destroy();
  const log = await server.ask(`log ${client.localPort}`);
  return {
    sent,
    all: client.sent,
    responses: client.responses,
    finals: client.finals,
    answered,
    inTime,
    fault: client.fault,
    isTruncated: client.isTruncated,
    log: log ?? [],
    end,
    sentinel: log?.some(({ event, id }) => event === "begin" && id === SENTINEL) ?? false,
    hang: client.hang,
    waitsBehindClose: client.waitsBehindClose,
    error: client.error,
    text: client.text,
    hidden: client.hidden,
  };
}

// Each request of a case, and each that its content looks like, gets a number of its own.
function numbered(steps) {
  let next = 0;
  const number = (text) => text.replaceAll(KEY, () => String(next++).padStart(8, "0"));
  return steps.map((step) => (step.send === undefined ? step : { ...step, send: number(step.send) }));
}

class Player extends Client {
  sent = "";
  /** Numbers of requests that lie within the content of a repeated upload. */
  hidden = [];
  #server;

  constructor(server) {
    super(server.port, undefined, "", DEADLINE_MS);
    this.#server = server;
  }

  // Only a response of a route tells the method: Go's own refusals have a body for HEAD, too.
  read(hasEnded) {
    return parseResponses(this.text, (_n, headers) => headers.get("x-method"), hasEnded, "1\\.[01]");
  }

  send(text) {
    if (!this.socket.writable) return;
    this.sent += text;
    this.socket.write(text, "latin1");
  }

  /** Whether the server has ended its side, or has said that it will. */
  get isEnding() {
    return this.isClosed || this.hasServerEnded === true || this.finals.some(({ closes }) => closes);
  }

  async take(step) {
    const has = (i) => this.finals.length > i;
    if (step.send !== undefined) {
      if (step.unlessFinal !== undefined && has(step.unlessFinal)) return;
      if (step.ifKept !== undefined && (!has(step.ifKept) || this.isEnding || this.#hasContinue(step.ifKept))) return;
      this.send(step.send);
      if (step.ifKept !== undefined)
        this.hidden.push(...[...step.send.matchAll(/[/-](\d{8})/g)].slice(1).map(([, id]) => id));
    } else if (step.settle) await this.settle();
    else if (step.fin) this.end();
  }

  #hasContinue(i) {
    const at = this.responses.indexOf(this.finals[i]);
    return this.responses[at - 1]?.status === 100;
  }

  /**
   * Waits until the server has nothing left to do before more bytes come: it has ended its side, or it says that it has
   * read everything and waits, and all that it has written is here.
   */
  async settle() {
    const isOver = () => this.isClosed || this.hasServerEnded === true;
    const until = Date.now() + DEADLINE_MS;
    for (let pauseMs = 1; !isOver(); pauseMs = Math.min(20, pauseMs * 2)) {
      const isClosing = this.finals.some(({ closes }) => closes);
      if (isClosing && !this.#server.waitsBehindClose) {
        await this.until("the server's end behind a final status that closes", isOver);
        return;
      }
      const state = await this.#server.ask(`idle ${this.localPort} ${this.sent.length}`);
      if (state === undefined) return;
      if (state.isIdle) {
        await this.until("all bytes that were written", () => isOver() || this.text.length >= state.written);
        this.waitsBehindClose = isClosing;
        if (isClosing || !this.isEnding) return;
      }
      if (Date.now() > until) {
        this.hang ??= "the server neither ends nor waits";
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
