import { optionalCount, optionalOneOf, requireKnownKeys } from "../support/options.js";
import { answerOf, type HandshakeAnswer } from "./answer.js";
import type { Line } from "./line.js";
import type { Plan } from "./plan.js";
import { play } from "./play.js";
import { type HandshakeOptions, type HandshakeTarget, run } from "./target.js";
import { HandshakeTest } from "./test.js";

// Less than the 5 seconds after which jest and vitest fail a test without a reason.
const DEADLINE_MS = 4_000;

/** Begins requests. */
export interface HandshakeRequests {
  get(path: string): HandshakeTest;
  head(path: string): HandshakeTest;
  post(path: string): HandshakeTest;
  put(path: string): HandshakeTest;
  patch(path: string): HandshakeTest;
  delete(path: string): HandshakeTest;
  request(method: string, path: string): HandshakeTest;
}

/** Requests that follow each other on one connection. */
export interface HandshakeConnection extends HandshakeRequests {
  /** Whether the server has not ended the connection. */
  readonly isOpen: boolean;
  /** Ends the connection, and the server if it was started for it. */
  close(): Promise<void>;
}

/** Requests with a connection each. */
export interface HandshakeClient extends HandshakeRequests {
  /** Opens a connection for several requests. The test has to close it. */
  connect(): Promise<HandshakeConnection>;
}

/**
 * Tests what an upload with `Expect: 100-continue` gets, on a real connection.
 *
 * An application gets an attached server of its own for each request. A server that does not listen is started on
 * 127.0.0.1 and ended again. A wait that takes too long fails with what was on the wire. It is not affected by
 * timers that the test has replaced.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for a wrong option.
 * @example await handshake(app).put("/images/1").withhold(100_000_000).expectRefusal(413);
 */
export function handshake(target: HandshakeTarget, options: HandshakeOptions = {}): HandshakeClient {
  requireKnownKeys("handshake", options, ["attach", "protocol", "deadlineMs"]);
  const deadlineMs = optionalCount("handshake({ deadlineMs })", options.deadlineMs, DEADLINE_MS);
  optionalOneOf("handshake({ protocol })", options.protocol, ["HTTP/1.1", "HTTP/2"], "HTTP/1.1");
  const perform = async (plan: Plan) => {
    const running = await run(target, options);
    try {
      const line = await running.connect(plan.deadlineMs);
      try {
        return await exchange(line, plan);
      } finally {
        line.close();
      }
    } finally {
      await running.close();
    }
  };
  return {
    ...requests(deadlineMs, perform),
    async connect() {
      const running = await run(target, options);
      const line = await running.connect(deadlineMs).catch(async (error) => {
        await running.close();
        throw error;
      });
      let last: Promise<unknown> = Promise.resolve();
      return {
        ...requests(deadlineMs, (plan) => {
          const answer = last.then(() => exchange(line, plan));
          last = answer.catch(() => {});
          return answer;
        }),
        get isOpen() {
          return line.isOpen;
        },
        async close() {
          line.close();
          await running.close();
        },
      };
    },
  };
}

function requests(deadlineMs: number, perform: (plan: Plan) => Promise<HandshakeAnswer>): HandshakeRequests {
  const request = (method: string, path: string) => new HandshakeTest(method, path, deadlineMs, perform);
  return {
    get: (path) => request("GET", path),
    head: (path) => request("HEAD", path),
    post: (path) => request("POST", path),
    put: (path) => request("PUT", path),
    patch: (path) => request("PATCH", path),
    delete: (path) => request("DELETE", path),
    request,
  };
}

async function exchange(line: Line, plan: Plan): Promise<HandshakeAnswer> {
  if (!line.isOpen) throw new Error(`${plan.method} ${plan.path}: the server has ended this connection`);
  const sent = line.begin(plan);
  await play(sent, plan);
  return answerOf(sent.journal.events);
}
