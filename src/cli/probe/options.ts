import { EXCHANGE_IDS } from "../../probe/exchange-result.js";
import type { ProbeRequest } from "../../probe/request.js";
import { argumentsOf, colorChoice } from "../arguments.js";
import { UsageError } from "../usage.js";
import { PROBE_OPTIONS } from "./description.js";
import { headersOf, TOKEN } from "./headers.js";
import {
  certificatesOf,
  contentOf,
  fileOf,
  proxyOf,
  resolved,
  secondsOf,
  statusesOf,
  timeoutOf,
  urlOf,
  wrong,
} from "./values.js";

/** The options of one run. */
export interface ProbeOptions {
  readonly request: ProbeRequest;
  readonly isJson: boolean;
  readonly html: string | undefined;
  /** Where to write the exchanges as an HTTP archive. */
  readonly har: string | undefined;
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
  readonly color: boolean | undefined;
  /** Whether redirects of the upload are followed before it is probed. */
  readonly followsRedirects: boolean;
  /** How long to wait between probes until the URL is healthy; `undefined` for a single probe. */
  readonly watchMs: number | undefined;
  /** Whether content may be sent without asking. */
  readonly yes: boolean;
}

const DEFAULT_CONTENT_BYTES = 16_384;
const PUSHED_BYTES = 1_048_576;

/**
 * Reads the command line.
 *
 * @throws {UsageError} for a wrong option or value.
 */
export function parseProbeArgs(args: readonly string[]): ProbeOptions {
  const { values, positionals } = argumentsOf(args, PROBE_OPTIONS);
  const [address, ...more] = positionals;
  if (address === undefined) throw new UsageError("URL: received none; expected the URL of an upload");
  if (more.length > 0) throw new UsageError(`URL: received ${positionals.length} of them; expected one`);
  const method = values.method ?? "PUT";
  if (["CONNECT", "HEAD", "TRACE"].includes(method.toUpperCase())) {
    throw wrong("--method", method, "a method that uploads, such as PUT or POST");
  }
  if (!TOKEN.test(method)) throw wrong("--method", method, "a method such as PUT or POST");
  const only = values.only?.split(",");
  const odd = only?.find((name) => !(EXCHANGE_IDS as readonly string[]).includes(name));
  if (odd !== undefined) throw wrong("--only", odd, `some of ${EXCHANGE_IDS.join(",")}`);
  if (values.data !== undefined && values.size !== undefined) {
    throw new UsageError("--data and --size: received both; expected one of them");
  }
  if (values.origin !== undefined && values.via !== undefined) {
    throw new UsageError("--origin and --via: received both; they are the same option");
  }
  const origin = values.origin ?? values.via;
  const url = urlOf("URL", address);
  const content = contentOf(values.data, values.size);
  const proxy = values.proxy === undefined ? undefined : proxyOf(values.proxy, values["proxy-user"]);
  if (!proxy && values["proxy-user"] !== undefined) {
    throw new UsageError("--proxy-user: received without --proxy; expected both");
  }
  return {
    request: {
      url,
      ...(origin !== undefined && { via: urlOf(values.origin === undefined ? "--via" : "--origin", origin) }),
      tls: certificatesOf(values),
      method,
      headers: headersOf(values.header ?? [], values.user),
      content: content ?? Buffer.alloc(DEFAULT_CONTENT_BYTES, "x"),
      pushedContent: content ?? Buffer.alloc(PUSHED_BYTES, "x"),
      timeoutMs: timeoutOf(values.timeout),
      isInsecure: values.insecure ?? false,
      resolve: new Map((values.resolve ?? []).map(resolved)),
      ...(proxy && { proxy }),
      ...(only && { only: new Set(only) }),
      ...(values["expect-status"] !== undefined && { expectedStatuses: statusesOf(values["expect-status"]) }),
      asks: values.ask ?? false,
    },
    isJson: values.json ?? false,
    html: fileOf("--html", values.html),
    har: fileOf("--har", values.har),
    isQuiet: values.quiet ?? false,
    isVerbose: values.verbose ?? false,
    color: colorChoice(values),
    followsRedirects: values.location ?? false,
    watchMs: values.watch === undefined ? undefined : secondsOf("--watch", values.watch, 86_400),
    yes: values.yes ?? false,
  };
}
