import prettyBytes from "pretty-bytes";

/** Returns a number of bytes as text: `1.5 GiB`, `12 B`. */
export function bytesText(bytes: number): string {
  return prettyBytes(bytes, { binary: true });
}
