import { lowerAscii } from "../http/token.js";
import type { Decision } from "./decision.js";
import type { Question } from "./summary.js";

/** The key of a value that a record does not have. */
const ABSENT = "(none)";

const LONGEST_KEY = 120;

/** Returns the key that a decision counts under, for each question but the software and the network. */
export function keysOf(decision: Decision): Readonly<Record<Exclude<Question, "software" | "network">, string>> {
  const { route, url, client, expectation, status = 0 } = decision;
  return {
    client: client ? short(plainAddress(client)) : ABSENT,
    route: short(route || (url && withoutQuery(url)) || ABSENT),
    policy: short(decision.policy || ABSENT),
    cutOff: short(decision.policy || ABSENT),
    status: statusKey(status),
    expectation: expectation ? plainExpectation(expectation) : ABSENT,
    method: short(decision.method || ABSENT),
    httpVersion: short(decision.httpVersion || ABSENT),
  };
}

function short(key: string): string {
  return key.length <= LONGEST_KEY ? key : `${key.slice(0, LONGEST_KEY)}…`;
}

/** Returns the key of a status; 0 stands for none. */
export function statusKey(status: number): string {
  return status === 0 ? ABSENT : String(status);
}

function plainExpectation(expectation: string): string {
  return expectation === "100-continue" ? expectation : short(lowerAscii(expectation));
}

// A server that listens on IPv6 sees IPv4 clients as IPv4-mapped addresses (RFC 4291 §2.5.5.2).
function plainAddress(address: string): string {
  return address.startsWith(":") && /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}

function withoutQuery(url: string): string {
  const at = url.indexOf("?");
  return at < 0 ? url : url.slice(0, at);
}
