import { validateHeaderName, validateHeaderValue } from "node:http";
import { messageOf, optionError } from "../support/errors.js";
import { optionalCount, requireCount } from "../support/options.js";
import type { HandshakeAnswer } from "./answer.js";
import { assertContinuedOnce, assertRefusedBeforeContent } from "./assertions.js";
import { NO_CONTENT, type Plan } from "./plan.js";

/** Content to send: text, bytes, or pieces of up to 64 KiB, each of which is a chunk of its own in chunked content. */
export type HandshakeContent = string | Uint8Array | readonly (string | Uint8Array)[];

/** The value of a field, or several of them. */
type FieldValue = string | number | readonly (string | number)[];

/**
 * One request, which is sent when the test waits for it.
 *
 * A request with content sends `Expect: 100-continue`, unless `expecting` or `withoutExpect` says otherwise.
 */
export class HandshakeTest implements PromiseLike<HandshakeAnswer> {
  readonly #perform: (plan: Plan) => Promise<HandshakeAnswer>;
  #plan: Plan;
  #expect: string | undefined = "100-continue";
  #isChunked = false;
  #answer: Promise<HandshakeAnswer> | undefined;

  /** @internal */
  constructor(method: string, path: string, deadlineMs: number, perform: (plan: Plan) => Promise<HandshakeAnswer>) {
    if (/[^\x21-\x7e]/.test(`${method}${path}`))
      throw optionError("handshake request", `${method} ${path}`, "no spaces");
    this.#perform = perform;
    this.#plan = { method, path, fields: [], expect: undefined, content: NO_CONTENT, deadlineMs };
  }

  /** Sets a field, or several of them. A list of values is sent as several lines. */
  set(name: string | Readonly<Record<string, FieldValue>>, value?: FieldValue): this {
    const given = typeof name === "string" ? { [name]: value ?? "" } : name;
    const added = Object.entries(given).flatMap(([key, values]) =>
      [values].flat().map((one): [string, string] => [checkedName(key, one), String(one)]),
    );
    const names = new Set(added.map(([key]) => key.toLowerCase()));
    return this.#with({ fields: [...this.#plan.fields.filter(([key]) => !names.has(key.toLowerCase())), ...added] });
  }

  /** Sends another value of `Expect`, such as `"size-class=small"` or `"100-continue, something-else"`. */
  expecting(value: string): this {
    this.#expect = value;
    return this;
  }

  /** Sends no `Expect`. The content goes out at once. */
  withoutExpect(): this {
    this.#expect = undefined;
    return this;
  }

  /** Sends content of unknown length. On HTTP/1.1, in chunks. */
  chunked(): this {
    this.#isChunked = true;
    return this;
  }

  /**
   * Announces content and never sends it, not even after a 100.
   *
   * @param length - in bytes. Default 1.
   */
  withhold(length = 1): this {
    const announced = requireCount("withhold(length)", length);
    return this.#with({ content: { ...this.#plan.content, announced, pieces: [], when: "never" } });
  }

  /** Sends content after the 100. If a final status comes instead, no content is sent. */
  send(content: HandshakeContent): this {
    return this.#content(content, "after the 100");
  }

  /** Sends content without waiting for a 100. */
  push(content: HandshakeContent): this {
    return this.#content(content, "at once");
  }

  /** Sends no more than so many bytes of the content, and keeps the connection open. */
  stopAfter(bytes: number): this {
    requireLength("stopAfter(bytes)", bytes);
    return this.#with({ content: { ...this.#plan.content, stopAfter: bytes } });
  }

  /** Leaves after so many bytes of the content: ends the connection, or resets it. With 0, leaves behind the head. */
  leaveAfter(bytes: number, { reset = false }: { reset?: boolean } = {}): this {
    requireLength("leaveAfter(bytes)", bytes);
    return this.#with({ content: { ...this.#plan.content, stopAfter: bytes, leave: reset ? "reset" : "end" } });
  }

  /** Waits so long at most, in milliseconds of real time. */
  within(deadlineMs: number): this {
    return this.#with({ deadlineMs: optionalCount("within(deadlineMs)", deadlineMs, deadlineMs) });
  }

  /**
   * Asserts that the upload is refused before a byte of content is sent.
   *
   * @param status - Default: any of 400 and more.
   * @throws {AssertionError} whose message has the transcript.
   */
  async expectRefusal(status?: number): Promise<HandshakeAnswer> {
    const answer = await this;
    assertRefusedBeforeContent(answer, status);
    return answer;
  }

  /**
   * Asserts that the upload gets one 100, and then its final status.
   *
   * @param status - Default: any from 200 to 299.
   * @throws {AssertionError} whose message has the transcript.
   */
  async expectContinue(status?: number): Promise<HandshakeAnswer> {
    const answer = await this;
    assertContinuedOnce(answer, status);
    return answer;
  }

  // biome-ignore lint/suspicious/noThenProperty: a test awaits the request itself, as with supertest
  then<A = HandshakeAnswer, B = never>(
    onAnswer?: ((answer: HandshakeAnswer) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#answer ??= this.#perform(this.#whole());
    return this.#answer.then(onAnswer, onError);
  }

  #with(change: Partial<Plan>): this {
    this.#plan = { ...this.#plan, ...change };
    return this;
  }

  #content(content: HandshakeContent, when: "after the 100" | "at once"): this {
    const list = typeof content === "string" || content instanceof Uint8Array ? [content] : content;
    const pieces = list.map((piece) => Buffer.from(piece as string));
    const announced = pieces.reduce((sum, piece) => sum + piece.length, 0);
    return this.#with({ content: { ...this.#plan.content, announced, pieces, when } });
  }

  #whole(): Plan {
    const { content } = this.#plan;
    if (content.announced === "none") return this.#plan;
    const isWaiting = content.when === "after the 100" && /(?:^|,)\s*100-continue\s*(?:,|$)/i.test(this.#expect ?? "");
    const when = content.when === "never" || isWaiting ? content.when : "at once";
    const announced = this.#isChunked ? "chunked" : content.announced;
    // RFC 9110 §10.1.1: a request without content must not expect a 100.
    const expect = announced === 0 ? undefined : this.#expect;
    return { ...this.#plan, expect, content: { ...content, when: announced === 0 ? "at once" : when, announced } };
  }
}

function requireLength(option: string, bytes: unknown): void {
  if (!Number.isSafeInteger(bytes) || (bytes as number) < 0) throw optionError(option, bytes, "a whole number from 0");
}

function checkedName(name: string, value: string | number): string {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, String(value));
  } catch (error) {
    throw optionError(`set(${JSON.stringify(name)})`, messageOf(error as Error), "a valid name and value");
  }
  return name;
}
