/** Bytes after which an upload is cut off. */
export const LIMIT = 50;

const SIZES = { small: 120, large: 150_000 };
// A server that takes content for a request runs this.
const REQUEST = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/** The content of a cell: text for a parser of JSON, requests that must not run for all others. */
export function contentOf({ reader, size }) {
  const length = SIZES[size];
  if (reader === "express.json") return JSON.stringify({ text: "j".repeat(length - 11) });
  return REQUEST.repeat(Math.ceil(length / REQUEST.length)).slice(0, length);
}
