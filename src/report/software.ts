import { FAMILIES } from "./software-families.js";

/** The software of a client, according to its `User-Agent` field. */
interface Software {
  /** Family and version: `curl 7.88`, `Java 17 HttpClient`. */
  readonly label: string;
  /** The `id` in `SUSPECTS` of what is known about it. */
  readonly suspect?: string;
}

const LONGEST_NAME = 40;

/** Finds the family of a `User-Agent` field, and its version as far as that matters. */
export function softwareOf(userAgent: string): Software {
  if (userAgent === "") return { label: "(no User-Agent)", suspect: "unnamed" };
  for (const { pattern, label, suspect } of FAMILIES) {
    const match = pattern.exec(userAgent);
    if (match) return { label: label.replace("%", match[1] ?? "").trim(), ...(suspect !== undefined && { suspect }) };
  }
  return { label: productOf(userAgent) };
}

// RFC 9110 §10.1.5: User-Agent = product *( RWS ( product / comment ) ), product = token ["/" product-version]
function productOf(userAgent: string): string {
  const [product = ""] = userAgent.trim().split(/[\s(;,]/, 1);
  const [name = "", version = ""] = product.split("/", 2);
  const short = /^v?(\d+(?:\.\d+)?)/.exec(version)?.[1] ?? "";
  return `${name.slice(0, LONGEST_NAME)} ${short}`.trim() || "(other)";
}
