import { types } from "node:util";
import { parseDictionary } from "structured-headers";
import type { HttpRequest } from "./message.js";

/** The digests of one field. Those with an algorithm that RFC 9530 §5 calls insecure are left out. */
export interface Digests {
  readonly "sha-256"?: Buffer;
  readonly "sha-512"?: Buffer;
}

/** The length of a digest in bytes. */
const LENGTHS = { "sha-256": 32, "sha-512": 64 } as const;

/**
 * Reads the digests that a client declares for its content (`Content-Digest`) or for the whole representation
 * (`Repr-Digest`). A policy can use one to find content that is stored already.
 *
 * Returns no digests if the field is missing or cannot be parsed. A client can declare any digest: compare it with the
 * content that arrived.
 *
 * @param req - the request.
 * @param field - `"Content-Digest"` (default) or `"Repr-Digest"`.
 * @example digestsOf(req)["sha-256"]?.toString("hex")
 * @see RFC 9530 §2, §3, RFC 9651 §4.2 (a field that cannot be parsed is ignored)
 */
export function digestsOf(req: HttpRequest, field: "Content-Digest" | "Repr-Digest" = "Content-Digest"): Digests {
  const value = req.headers[field.toLowerCase()];
  if (typeof value !== "string") return {};
  let members: ReturnType<typeof parseDictionary>;
  try {
    members = parseDictionary(value);
  } catch {
    return {};
  }
  const digests: { -readonly [A in keyof Digests]: Digests[A] } = {};
  for (const algorithm of ["sha-256", "sha-512"] as const) {
    const [item] = members.get(algorithm) ?? [];
    if (!types.isArrayBuffer(item)) continue;
    const bytes = Buffer.from(item);
    if (bytes.length === LENGTHS[algorithm]) digests[algorithm] = bytes;
  }
  return digests;
}
