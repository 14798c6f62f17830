import type { Finding, Fix } from "../finding.js";
import type { Identification } from "../result.js";
import { LEAVE_OUT, PROGRAM_OF_FIX, proxy } from "./catalogue/fixes.js";

const UNSEEN_PROXY: Fix = proxy(
  "If a proxy stands in front of the server: docs/proxies.md says what to write into the configuration of each.",
);

/** Returns the fixes without those for programs that were not seen. */
export function relevantFixes(
  fixes: readonly Fix[],
  identified: readonly Identification[],
  hop: Finding["hop"],
): Fix[] {
  const programOf = ({ text }: Fix) => PROGRAM_OF_FIX.find(([word]) => text.startsWith(word))?.[1];
  const there = new Set(identified.map(({ name }) => name));
  const isForNone = (one: Fix) => programOf(one) === undefined;
  const left = fixes.filter((one) => isForNone(one) || there.has(programOf(one) as string));
  const isUnseen = left.every(isForNone) && left.length < fixes.length;
  return isUnseen && hop !== "origin" ? [...left, UNSEEN_PROXY] : left;
}

const FIRST_SIDES: Readonly<Record<Finding["hop"], readonly Fix["side"][]>> = {
  proxy: ["proxy", "server"],
  origin: ["server", "proxy"],
  unknown: ["proxy", "server"],
  endpoint: ["server", "proxy"],
};

/** Returns the fixes with the best one first: at the hop that causes the finding. To leave `Expect` out comes last. */
export function inOrder(fixes: readonly Fix[], hop: Finding["hop"]): Fix[] {
  const hasCure = fixes.some(({ side }) => side !== "client");
  const rank = (one: Fix) => {
    if (isAvoidance(one)) return 9;
    if (one.side === "client") return hasCure ? 5 : 0;
    if (one === UNSEEN_PROXY) return 4;
    return FIRST_SIDES[hop].indexOf(one.side);
  };
  return fixes.map((one) => one).sort((a, b) => rank(a) - rank(b));
}

// It hides the fault, and sends the whole content of every upload that is refused.
function isAvoidance({ text, code = "" }: Fix): boolean {
  return text === LEAVE_OUT.text || /^curl -H 'Expect:'/.test(code);
}
