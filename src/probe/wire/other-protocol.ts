/** Describes bytes that are not HTTP/1, from their first four bytes. */
export function otherProtocol(bytes: Buffer): string {
  const [type = 0, version = 0, , frame = 0] = bytes;
  // RFC 8446 §5.1: a record's type and version. RFC 9113 §4.1: a frame's length and type, SETTINGS.
  if (type >= 0x14 && type <= 0x17 && version === 3) return "this is TLS, not HTTP: the URL should begin with https://";
  if (type === 0 && version === 0 && frame === 4) return "this is HTTP/2 without negotiation, not HTTP/1";
  if (bytes.subarray(0, 4).toString("latin1") === "SSH-") return "this is SSH, not HTTP";
  return "this is not HTTP";
}
