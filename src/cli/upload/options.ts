import type { UploadHeaders } from "../../client/options.js";
import { isToken } from "../../http/token.js";
import { argumentsOf, colorChoice } from "../arguments.js";
import { headersOf } from "../probe/headers.js";
import { type Certificates, certificatesOf, secondsOf, urlOf, wrong } from "../probe/values.js";
import { UsageError } from "../usage.js";
import { UPLOAD_OPTIONS } from "./description.js";

/** The options of one run. */
export interface UploadCommandOptions {
  /** A path, or `-` for standard input. */
  readonly file: string;
  readonly url: URL;
  readonly method: string;
  readonly headers: UploadHeaders;
  readonly expectTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxRedirects: number;
  /** The client's certificate and the authorities to trust. */
  readonly certificates: Certificates;
  readonly isInsecure: boolean;
  readonly isHttp1: boolean;
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly color: boolean | undefined;
}

const MOST_SECONDS = 86_400;
const MOST_REDIRECTS = 50;

/**
 * Reads the command line.
 *
 * @throws {UsageError} for a wrong option or value.
 */
export function parseUploadArgs(args: readonly string[]): UploadCommandOptions {
  const { values, positionals } = argumentsOf(args, UPLOAD_OPTIONS);
  const [file, address, ...more] = positionals;
  if (file === undefined || address === undefined || more.length > 0) {
    throw new UsageError(`FILE URL: received ${positionals.length} arguments; expected a file and a URL`);
  }
  const method = values.method ?? "PUT";
  if (!isToken(method)) throw wrong("--method", method, "a method such as PUT or POST");
  const redirects = values.redirects ?? "0";
  if (!/^\d{1,2}$/.test(redirects) || Number(redirects) > MOST_REDIRECTS) {
    throw wrong("--redirects", redirects, `a whole number from 0 to ${MOST_REDIRECTS}`);
  }
  return {
    file,
    url: urlOf("URL", address),
    method,
    headers: grouped(headersOf(values.header ?? [], values.user)),
    expectTimeoutMs: secondsOf("--expect-timeout", values["expect-timeout"] ?? "1", MOST_SECONDS),
    idleTimeoutMs: secondsOf("--timeout", values.timeout ?? "300", MOST_SECONDS),
    maxRedirects: Number(redirects),
    certificates: certificatesOf(values),
    isInsecure: values.insecure ?? false,
    isHttp1: values["http1.1"] ?? false,
    isJson: values.json ?? false,
    isQuiet: values.quiet ?? false,
    color: colorChoice(values),
  };
}

// Only a repeated field becomes a list: Node does not take one for `Host`.
function grouped(headers: readonly (readonly [string, string])[]): Record<string, string | readonly string[]> {
  const groups: Record<string, string | readonly string[]> = {};
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    const before = groups[key];
    groups[key] = before === undefined ? value : [before, value].flat();
  }
  return groups;
}
