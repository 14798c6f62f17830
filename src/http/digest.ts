import { ByteSequence, parseDictionary } from "structured-headers";
import type { HttpRequest } from "./message.js";

/** The digests of one field that are of use; the insecure algorithms of RFC 9530 §5 are left out. */
export interface Digests {
  readonly "sha-256"?: Buffer;
  readonly "sha-512"?: Buffer;
}

const BYTES = { "sha-256": 32, "sha-512": 64 } as const;

/**
 * Reads what a client says about the digest of its content (`Content-Digest`) or of the whole representation
 * (`Repr-Digest`), for policies that look for what is stored already.
 *
 * A field that is missing or cannot be read has no digests: a policy that needs one refuses where it is `undefined`.
 * It is what the client claims: compare it with what arrived.
 *
 * @param req - the request.
 * @param field - `"Content-Digest"` (default) or `"Repr-Digest"`.
 * @example digestsOf(req)["sha-256"]?.toString("hex")
 * @see RFC 9530 §2, §3; RFC 8941 §4.2: a field that cannot be parsed is ignored
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
    if (!(item instanceof ByteSequence)) continue;
    const bytes = Buffer.from(item.toBase64(), "base64");
    if (bytes.length === BYTES[algorithm]) digests[algorithm] = bytes;
  }
  return digests;
}
