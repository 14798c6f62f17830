import type { Agent, IncomingHttpHeaders } from "node:http";
import type { ConnectionOptions } from "node:tls";
import { optionError } from "../support/errors.js";
import { optionalCount, optionalFunction, requireKnownKeys } from "../support/options.js";
import type { UploadBody } from "./body.js";

/** Fields of a request. */
export type UploadHeaders = Readonly<Record<string, string | number | readonly string[]>>;

/** Options of {@link upload}; all are optional. */
export interface UploadOptions {
  /** Default `"PUT"`. */
  method?: string;
  /** Fields, without `Expect` and `Transfer-Encoding`. A stream is sent in chunks unless `Content-Length` is set. */
  headers?: UploadHeaders;
  body?: UploadBody;
  /** How long the body waits for a 100 or a final status, in milliseconds. Default 1,000. */
  expectTimeoutMs?: number;
  /** How long nothing may be sent or received, in milliseconds. Default 300,000. */
  idleTimeoutMs?: number;
  /** How many redirects with 307 or 308 are followed, if they come before the body. Default: none. */
  maxRedirects?: number;
  /** How much of the response's body is read, in bytes. Default 10 MiB. */
  maxResponseBytes?: number;
  /** Returns the fields to repeat the upload with after a 401 that came before the body, or nothing to give up. */
  authenticate?: (challenge: UploadChallenge) => UploadHeaders | undefined | Promise<UploadHeaders | undefined>;
  /** Ends the upload. */
  signal?: AbortSignal;
  /** Connections for `url`. Without one, `http:` uses Node's global agent, and `https:` a connection for each request. */
  agent?: Agent;
  /** For `https:`, such as `ca`. With `ALPNProtocols: ["http/1.1"]` HTTP/2 is not offered. An `agent` has its own. */
  tls?: ConnectionOptions;
  /** Called each time that the system has taken a piece of the body. `totalBytes` is `undefined` for unknown lengths. */
  onProgress?: (progress: { readonly sentBytes: number; readonly totalBytes: number | undefined }) => void;
  /** Called for each interim response except 100, such as 103. */
  onInterim?: (interim: { readonly status: number; readonly headers: IncomingHttpHeaders }) => void;
}

/** A 401 that came before the body. */
export interface UploadChallenge {
  readonly url: URL;
  /** The fields of the response. `www-authenticate` has the challenge. */
  readonly headers: IncomingHttpHeaders;
}

/** The final response to an upload, whatever its status. */
export interface UploadResult {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: IncomingHttpHeaders;
  readonly trailers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** Whether the whole response came. False if the connection broke after its status, or it exceeds `maxResponseBytes`. */
  readonly isComplete: boolean;
  /** Bytes of the body that the last request handed to the system. */
  readonly sentBytes: number;
  /** Whether the last request got a 100. */
  readonly wasContinued: boolean;
  /** How long the last request held its body back, in milliseconds. */
  readonly waitedMs: number;
  /** The number of requests. */
  readonly attempts: number;
  /** The address of the last request. */
  readonly url: URL;
}

type Defaults =
  | "method"
  | "headers"
  | "body"
  | "expectTimeoutMs"
  | "idleTimeoutMs"
  | "maxRedirects"
  | "maxResponseBytes";
type Others = "authenticate" | "signal" | "agent" | "tls" | "onProgress" | "onInterim";

/** Checked options. */
export type UploadSettings = Readonly<Required<Pick<UploadOptions, Defaults>>> & {
  readonly [K in Others]: UploadOptions[K] | undefined;
};

const FUNCTIONS = ["authenticate", "onProgress", "onInterim"] as const;
const KEYS: readonly string[] = [
  ..."method headers body expectTimeoutMs idleTimeoutMs maxRedirects maxResponseBytes signal agent tls".split(" "),
  ...FUNCTIONS,
];

/** @throws {ExpectationError} `ERR_EXPECT_OPTION` */
export function checked(options: UploadOptions): UploadSettings {
  requireKnownKeys("upload", options, KEYS);
  const { method = "PUT", headers = {}, body = "", maxRedirects = 0, signal } = options;
  const { authenticate, onProgress, onInterim } = options;
  for (const key of FUNCTIONS) optionalFunction<unknown>(`upload({ ${key} })`, options[key]);
  if (typeof headers !== "object" || headers === null) throw optionError("upload({ headers })", headers, "an object");
  if (signal !== undefined && typeof signal?.aborted !== "boolean") {
    throw optionError("upload({ signal })", signal, "an AbortSignal");
  }
  return {
    method,
    headers,
    body,
    expectTimeoutMs: optionalCount("upload({ expectTimeoutMs })", options.expectTimeoutMs, 1_000),
    idleTimeoutMs: optionalCount("upload({ idleTimeoutMs })", options.idleTimeoutMs, 300_000),
    maxRedirects: maxRedirects === 0 ? 0 : optionalCount("upload({ maxRedirects })", maxRedirects, 0),
    maxResponseBytes: optionalCount("upload({ maxResponseBytes })", options.maxResponseBytes, 10 * 2 ** 20),
    authenticate,
    signal,
    agent: options.agent,
    tls: options.tls,
    onProgress,
    onInterim,
  };
}

/** Returns the value of `Content-Length`. Node checks the names and values of fields. */
export function announcedIn(headers: UploadHeaders): number | undefined {
  let announced: number | undefined;
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    const key = name.toLowerCase();
    if (key === "expect" || key === "transfer-encoding") {
      throw optionError("upload({ headers })", name, "other fields, because upload() sets this one itself");
    }
    if (key !== "content-length") continue;
    announced = Number(value);
    if (!/^\d{1,15}$/.test(String(value)))
      throw optionError("upload({ headers })", value, "a length in Content-Length");
  }
  return announced;
}
