import * as http2 from "node:http2";
import type { Shown } from "../shown.js";
import type { Journal } from "./journal.js";

const SAMPLE_BYTES = 2_048;
const MAX_INTERIMS = 16;
const MAX_CONTENT_BYTES = 4_194_304;

/**
 * Records in a journal what a stream receives.
 *
 * @param keptBytes - how much of the content is kept.
 * @returns ends the recording. The stream may then be destroyed.
 */
export function recordStream(
  session: http2.ClientHttp2Session,
  stream: http2.ClientHttp2Stream,
  journal: Journal,
  shown: Pick<Shown, "line" | "sample">,
  keptBytes: number = SAMPLE_BYTES,
): () => void {
  let bytes = 0;
  let sample = "";
  const fail = (error: NodeJS.ErrnoException) => {
    if (!journal.isOver) journal.add({ kind: "reset", code: error.code ?? "error" });
  };
  let interims = 0;
  const received = (headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader) => {
    if (journal.isOver) return;
    const status = headers[":status"] ?? 0;
    if (status < 200 && ++interims > MAX_INTERIMS) {
      journal.add({ kind: "malformed", reason: `more than ${MAX_INTERIMS} interim responses`, sample: "" });
      return;
    }
    journal.add({ kind: "received", status, lines: linesOf(headers, shown) });
  };
  const closed = () => {
    if (journal.isOver) return;
    if (stream.rstCode === http2.constants.NGHTTP2_NO_ERROR) journal.add({ kind: "end" });
    else journal.add({ kind: "reset", code: `RST_STREAM ${stream.rstCode}` });
  };
  session.on("error", fail);
  stream.once("close", () => session.off("error", fail));
  stream.on("headers", received);
  stream.on("response", received);
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (sample.length < keptBytes) sample += chunk.toString("latin1");
    // The rest of a long page shows nothing about the handshake.
    if (bytes > MAX_CONTENT_BYTES) stream.close();
  });
  stream.on("end", () => journal.add({ kind: "complete", bytes, sample: shown.sample(sample) }));
  stream.on("error", fail);
  stream.on("close", closed);
  return () => void stream.off("close", closed);
}

/** Returns the fields of a request or response on HTTP/2 as lines. */
export function linesOf(
  headers: http2.OutgoingHttpHeaders | http2.IncomingHttpHeaders,
  shown: Pick<Shown, "line">,
): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((one) => (name.startsWith(":") ? shown.line(`${name} ${one}`) : shown.line(`${name}: ${one}`))),
  );
}
