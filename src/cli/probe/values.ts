import { readFileSync } from "node:fs";
import { basic, basicOf } from "../../http/basic.js";
import { addressOf, type ProxyAddress } from "../../probe/request.js";
import { visible } from "../../report/visible.js";
import { ExpectationError } from "../../support/errors.js";
import { parseSize } from "../../support/size.js";
import { UsageError } from "../usage.js";

const DEFAULT_TIMEOUT_S = 5;
const MAX_TIMEOUT_S = 600;

/** Reads an `http:` or `https:` URL. */
export function urlOf(option: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.hostname !== "") return url;
  // The message does not repeat the value, which may contain a password.
  throw new UsageError(`${option}: received no http or https URL; expected such as https://example.com/upload`);
}

/** Adds the scheme that a proxy's address may lack, and the credentials for it. */
export function proxyOf(text: string, user: string | undefined): ProxyAddress {
  const url = urlOf("--proxy", text.includes("://") ? text : `http://${text}`);
  const authorization = user === undefined ? basicOf(url) : credentials("--proxy-user", user);
  return { ...addressOf(url), ...(authorization !== undefined && { authorization }) };
}

/** Returns the value of an `Authorization` field for `NAME:PASSWORD`. */
export function credentials(option: string, user: string): string {
  if (user.includes(":")) return basic(user);
  throw new UsageError(`${option}: received no colon; expected NAME:PASSWORD`);
}

/** Returns the content to send; `undefined` if neither option is given. */
export function contentOf(data: string | undefined, size: string | undefined): Buffer | undefined {
  if (size !== undefined) {
    try {
      return Buffer.alloc(parseSize(/^\d+$/.test(size) ? Number(size) : size, "--size"), "x");
    } catch (error) {
      if (error instanceof ExpectationError) throw new UsageError(error.message);
      throw wrong("--size", size, "a size that fits in memory");
    }
  }
  if (data === undefined) return undefined;
  const content = data.startsWith("@") ? fileContent(data.slice(1)) : Buffer.from(data, "utf8");
  if (content.length === 0) throw wrong("--data", data, "content of one byte or more");
  return content;
}

function fileContent(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`--data: ${path} cannot be read: ${(error as NodeJS.ErrnoException).code}; expected a file`);
  }
}

/** Checks the name of a file to write. A URL in its place has lost its option's value. */
export function fileOf(option: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  if (file === "" || file === "-" || /^https?:\/\//i.test(file))
    throw wrong(option, visible(file), "the name of a file");
  return file;
}

/** The certificates of `--cert`, `--key` and `--cacert`. */
export interface Certificates {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly ca?: Buffer;
}

/** Reads the files of `--cert`, `--key` and `--cacert`. */
export function certificatesOf(values: {
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly cacert?: string | undefined;
}): Certificates {
  const { cert, key, cacert } = values;
  if (key !== undefined && cert === undefined) throw new UsageError("--key: received without --cert; expected both");
  return {
    ...(cert !== undefined && { cert: pemOf("--cert", cert), key: pemOf("--key", key ?? cert) }),
    ...(cacert !== undefined && { ca: pemOf("--cacert", cacert) }),
  };
}

function pemOf(option: string, path: string): Buffer {
  try {
    const pem = readFileSync(path);
    if (pem.includes("-----BEGIN ")) return pem;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`${option}: ${visible(path)} cannot be read: ${code}; expected a PEM file`);
  }
  throw new UsageError(`${option}: ${visible(path)} has no PEM block; expected a PEM file`);
}

/** Reads the seconds of `--timeout`; returns milliseconds. */
export function timeoutOf(text: string | undefined): number {
  return secondsOf("--timeout", text ?? String(DEFAULT_TIMEOUT_S), MAX_TIMEOUT_S);
}

/** Reads seconds; returns milliseconds. */
export function secondsOf(option: string, text: string, most: number): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= most && text.trim() !== "") return Math.max(1, Math.round(seconds * 1_000));
  throw wrong(option, text, `seconds, up to ${most}`);
}

/** Reads the statuses of `--expect-status`. */
export function statusesOf(text: string): number[] {
  const statuses = text.split(",").map((one) => one.trim());
  if (statuses.every((one) => /^[1-9]\d\d$/.test(one))) return statuses.map(Number);
  throw wrong("--expect-status", text, "statuses, separated by commas, such as 401,413");
}

/** Reads `HOST:PORT:ADDRESS`; returns the key and the value of `ProbeRequest.resolve`. */
export function resolved(text: string): [string, string] {
  const match = /^(.+?):(\d{1,5}):\[?([\da-f.:]+)\]?$/i.exec(text);
  if (!match) throw wrong("--resolve", text, "HOST:PORT:ADDRESS");
  return [`${(match[1] as string).toLowerCase()}:${match[2]}`, match[3] as string];
}

/** Creates the error for a wrong value. */
export function wrong(option: string, received: string, expected: string): UsageError {
  return new UsageError(`${option}: received ${JSON.stringify(received)}; expected ${expected}`);
}
