import { BlockList, isIP } from "node:net";
import { nearestTo } from "../support/nearest.js";
import type { Decision } from "./decision.js";
import { keysOf } from "./keys.js";
import { networkOf } from "./networks.js";
import { softwareOf } from "./software.js";
import { QUESTIONS, type Question } from "./summary.js";
import { visible } from "./visible.js";

/** What a record must be, as `status=413` says it. */
export interface Condition {
  readonly key: Key;
  /** Whether the record must not be so. */
  readonly isNegated: boolean;
  readonly fits: (decision: Decision) => boolean;
}

type Key = Question | "event";

/** What conditions can be about: the questions of a report, and `event`. */
export const CONDITION_KEYS: readonly Key[] = [...QUESTIONS, "event"];

const CONDITION = /^([A-Za-z]+)(!?=)(.+)$/s;

/**
 * Reads a condition: `key=value` or `key!=value`. Values are those of a report's tables. An address may be a network,
 * such as `10.0.0.0/8`, a status `4xx`, and software may be without its version.
 *
 * @returns a message if the text is not a condition.
 */
export function conditionFrom(text: string): Condition | string {
  const [, name = "", operator, value = ""] = CONDITION.exec(text) ?? [];
  if (operator === undefined) return "expected KEY=VALUE or KEY!=VALUE, such as status=413";
  const key = CONDITION_KEYS.find((one) => one === name);
  if (key === undefined) {
    const nearest = nearestTo(name, CONDITION_KEYS);
    return nearest === undefined ? `expected one of ${CONDITION_KEYS.join(", ")}` : `did you mean ${nearest}?`;
  }
  const fits = fitting(key, value);
  return typeof fits === "string" ? fits : { key, isNegated: operator === "!=", fits };
}

/** Returns whether a record meets conditions: one of those with `=` for each key, and all with `!=`. */
export function meets(conditions: readonly Condition[], decision: Decision): boolean {
  const wanted = new Map<Key, boolean>();
  for (const { key, isNegated, fits } of conditions) {
    if (!isNegated) wanted.set(key, wanted.get(key) === true || fits(decision));
    else if (fits(decision)) return false;
  }
  return [...wanted.values()].every((isMet) => isMet);
}

function fitting(key: Key, value: string): Condition["fits"] | string {
  switch (key) {
    case "event":
      return ({ event }) => event === value || event === `expectation.${value}`;
    case "client":
      return fittingClient(value);
    case "network":
      return (decision) => networkOf(keysOf(decision).client) === value;
    case "status":
      return fittingStatus(value);
    case "software":
      return ({ userAgent = "" }) => isLabel(softwareOf(userAgent).label, value);
    case "cutOff":
      return (decision) => decision.cutOffAfter !== undefined && visible(keysOf(decision).cutOff) === value;
    default:
      return (decision) => visible(keysOf(decision)[key]) === value;
  }
}

function fittingStatus(value: string): Condition["fits"] | string {
  if (/^[1-9]xx$/i.test(value)) return ({ status = 0 }) => Math.floor(status / 100) === Number(value[0]);
  if (!/^[1-9]\d\d$/.test(value) && value !== "(none)") return "expected a status such as 413 or 4xx";
  return (decision) => keysOf(decision).status === value;
}

function fittingClient(value: string): Condition["fits"] | string {
  const [, address = "", bits] = /^([\da-f.:]+)\/(\d{1,3})$/i.exec(value) ?? [];
  if (bits === undefined) return (decision) => visible(keysOf(decision).client) === value;
  const family = isIP(address);
  if (family === 0 || Number(bits) > (family === 4 ? 32 : 128)) return "expected a network such as 10.0.0.0/8";
  const network = new BlockList();
  network.addSubnet(address, Number(bits), family === 4 ? "ipv4" : "ipv6");
  return (decision) => {
    const { client } = keysOf(decision);
    return isIP(client) === family && network.check(client, family === 4 ? "ipv4" : "ipv6");
  };
}

// "curl" is every version of curl.
function isLabel(label: string, value: string): boolean {
  const shown = visible(label);
  return shown === value || shown.startsWith(`${value} `);
}
