// Plays one case against a server and keeps what came back.
import { connect } from "node:net";
import { KEY } from "./cases.mjs";
import { parseResponses } from "./responses.mjs";

/** How long anything may take before it counts as hung, in milliseconds. */
export const DEADLINE_MS = 9_000;
/** The same for a case that runs alone. */
export const SHORT_DEADLINE_MS = 3_000;
/** How long a client without an oracle waits for something to come, in milliseconds. */
const QUIET_MS = 20;

/**
 * Sends the steps of a case.
 *
 * @param key - eight digits, in the place of the key in smuggled requests.
 * @returns what came back, and `hang`: which wait was not over by its deadline.
 */
export async function play({ steps, requests }, port, key, settles, deadlineMs = DEADLINE_MS) {
  const client = new Client(port, requests, key, deadlineMs);
  await client.until("connected", () => client.isConnected);
  for (const step of steps) {
    if (client.isClosed || client.hang) break;
    await client.take(step);
  }
  if (settles) await client.until("answered", () => client.isSettled);
  else await client.quiet();
  client.end();
  await client.until("closed behind the client's end", () => client.isClosed);
  client.destroy();
  return client;
}

/** One connection to a server, and what came back on it. */
export class Client {
  text = "";
  responses = [];
  fault = undefined;
  hang = undefined;
  error = undefined;
  isConnected = false;
  isClosed = false;
  hasReset = false;
  #hasEnded = false;
  #wake = () => {};

  constructor(port, requests, key, deadlineMs) {
    this.deadlineMs = deadlineMs;
    this.requests = requests;
    this.key = key;
    this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    this.socket.setEncoding("latin1");
    const on = (event, change) =>
      this.socket.on(event, (value) => {
        change(value);
        this.#wake();
      });
    on("connect", () => {
      this.isConnected = true;
      this.localPort = this.socket.localPort;
      this.connectedAt = Date.now();
    });
    on("data", (text) => {
      this.text += text;
      this.#parse(false);
    });
    on("end", () => {
      this.#parse(true);
      this.hasServerEnded = true;
    });
    on("error", (error) => {
      this.error = error.code ?? error.message;
    });
    on("close", () => {
      this.isConnected = true;
      this.isClosed = true;
      this.#parse(true);
    });
  }

  get finals() {
    return this.responses.filter(({ status }) => status >= 200);
  }

  /** Whether nothing more is due: all requests are answered, or the connection is over. */
  get isSettled() {
    const { finals } = this;
    const last = finals.at(-1);
    if (this.isClosed || this.fault) return true;
    if (!last?.isComplete) return false;
    return last.closes || finals.length >= this.requests.length || this.requests[finals.length - 1].upgrades;
  }

  #parse(hasEnded) {
    const { responses, fault, isTruncated } = this.read(hasEnded);
    this.responses = responses;
    this.fault = fault;
    this.isTruncated = isTruncated;
  }

  read(hasEnded) {
    return parseResponses(this.text, (i) => this.requests?.[i]?.method, hasEnded);
  }

  async take(step) {
    if (step.send !== undefined) {
      if (step.unlessRefused !== undefined && this.#isRefused(step.unlessRefused)) return;
      if (this.socket.writable) this.socket.write(step.send.replaceAll(KEY, this.key), "latin1");
    } else if (step.pauseMs !== undefined) {
      await (step.pauseMs === 0 ? new Promise(setImmediate) : new Promise((done) => setTimeout(done, step.pauseMs)));
    } else if (step.awaitInterim !== undefined) {
      const i = step.awaitInterim;
      await this.until(`a 100 or a final status for request ${i}`, () => this.#hasInterim(i));
      this.keptOpen ??= this.#keepsWithheld(i);
    } else if (step.awaitFinal !== undefined) {
      await this.until(`a final status for request ${step.awaitFinal}`, () =>
        this.#isOver ? this.finals.at(-1).isComplete : this.finals[step.awaitFinal]?.isComplete,
      );
    } else if (step.awaitQuiet) await this.quiet();
    else if (step.fin) this.end();
    else if (step.rst) {
      this.hasReset = true;
      this.socket.resetAndDestroy();
    }
  }

  // Whether nothing more will be answered on this connection.
  get #isOver() {
    return this.finals.at(-1)?.closes === true;
  }

  #isRefused(i) {
    const final = this.finals[i];
    return final !== undefined && this.responses[this.responses.indexOf(final) - 1]?.status !== 100;
  }

  #hasInterim(i) {
    if (this.#isOver) return true;
    if (this.finals[i]?.isComplete) return true;
    return this.finals.length === i && this.responses.at(-1)?.status === 100;
  }

  // A final status in the place of the 100 must end the connection: the content would be taken for a request.
  #keepsWithheld(i) {
    const final = this.finals[i];
    return final && !final.closes && this.#isRefused(i)
      ? `request ${i}: ${final.status} while its content is withheld, and the connection is kept`
      : undefined;
  }

  async until(what, isTrue) {
    if (this.isClosed || isTrue()) return;
    await new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.hang ??= what;
        resolve();
      }, this.deadlineMs);
      this.#wake = () => {
        if (!this.isClosed && !isTrue()) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
  }

  async quiet() {
    let seen = -1;
    while (!this.isClosed && seen !== this.text.length) {
      seen = this.text.length;
      await new Promise((done) => setTimeout(done, QUIET_MS));
    }
  }

  end() {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (this.socket.writable) this.socket.end();
  }

  destroy() {
    this.socket.destroy();
  }
}
