import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { types } from "node:util";
import { optionError } from "../support/errors.js";
import { UploadError } from "./error.js";

/** A stream of bytes. Strings in it are sent as UTF-8. */
export type UploadStream = Readable | ReadableStream | AsyncIterable<Uint8Array | string>;

/**
 * What to upload: text, bytes, a `Blob`, a file, a stream, or a function that returns a new stream at each call.
 *
 * A stream itself can be sent once. All others can be sent again, after a 417 for example.
 */
export type UploadBody =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | { readonly size: number; stream(): unknown }
  | { readonly file: string | URL }
  | UploadStream
  | (() => UploadStream | Promise<UploadStream>);

/** A body that is ready to be sent. */
export interface Body {
  /** In bytes; `undefined` if nobody knows it before the end. */
  readonly length: number | undefined;
  /** A stream that was passed, and so can be opened once. */
  readonly once?: Readable;
  open(): readonly Buffer[] | Readable | Promise<Readable>;
}

/**
 * Prepares a body.
 *
 * @param announced - the value of `Content-Length`, if the caller has set one.
 */
export async function bodyOf(given: UploadBody, announced: number | undefined): Promise<Body> {
  const body = await prepared(given, announced);
  if (announced === undefined || body.length === announced) return body;
  throw optionError("upload({ headers })", `Content-Length: ${announced}`, `the length of the body, ${body.length}`);
}

async function prepared(given: UploadBody, announced: number | undefined): Promise<Body> {
  const bytes = bytesOf(given);
  if (bytes) return { length: bytes.length, open: () => [bytes] };
  if (typeof given === "function") return { length: announced, open: async () => streamOf(await given()) };
  if (typeof given === "object" && "file" in given) return fileBody(given.file);
  if (typeof given === "object" && "size" in given) return { length: given.size, open: () => streamOf(given.stream()) };
  const once = streamOf(given);
  if (once.destroyed || once.readableEnded)
    throw optionError("upload({ body })", "a stream that has ended", "another one");
  // It may fail before anybody reads it. Its reader gets the error then.
  once.on("error", () => {});
  return { length: announced, once, open: () => once };
}

async function fileBody(path: string | URL): Promise<Body> {
  const stats = await stat(path).catch((cause: Error) => {
    throw new UploadError("ERR_UPLOAD_BODY", `the body cannot be read: ${cause.message}`, { cause });
  });
  // If the file grows meanwhile, the part that was announced is sent.
  if (stats.isFile()) return { length: stats.size, open: () => createReadStream(path, { end: stats.size - 1 }) };
  throw new UploadError("ERR_UPLOAD_BODY", `the body cannot be read: ${path} is not a file`);
}

function streamOf(given: unknown): Readable {
  const { pipe, getReader } = Object(given);
  if (typeof pipe === "function") return given as Readable;
  if (typeof getReader === "function") return Readable.fromWeb(given as ReadableStream);
  if (Object(given)[Symbol.asyncIterator])
    return Readable.from(given as AsyncIterable<Uint8Array>, { objectMode: false });
  throw optionError(
    "upload({ body })",
    given,
    "text, bytes, a Blob, { file }, a stream, or a function that returns one",
  );
}

/** Returns text or bytes as a buffer; `undefined` for anything else. */
export function bytesOf(value: unknown): Buffer | undefined {
  if (typeof value === "string") return Buffer.from(value);
  if (types.isAnyArrayBuffer(value)) return Buffer.from(value);
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return undefined;
}
