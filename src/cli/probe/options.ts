import { type ParseArgsConfig, parseArgs } from "node:util";
import { EXCHANGE_IDS } from "../../probe/exchange-result.js";
import type { ProbeRequest } from "../../probe/request.js";
import { UsageError } from "../usage.js";
import { headersOf, TOKEN } from "./headers.js";
import { contentOf, proxyOf, resolved, statusesOf, timeoutOf, urlOf, wrong } from "./values.js";

/** The options of one run. */
export interface ProbeOptions {
  readonly request: ProbeRequest;
  readonly isJson: boolean;
  readonly html: string | undefined;
  readonly isQuiet: boolean;
  /** Whether content may be sent without asking. */
  readonly yes: boolean;
}

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  method: { type: "string", short: "X" },
  header: { type: "string", short: "H", multiple: true },
  user: { type: "string", short: "u" },
  data: { type: "string", short: "d" },
  size: { type: "string" },
  timeout: { type: "string" },
  insecure: { type: "boolean", short: "k" },
  resolve: { type: "string", multiple: true },
  proxy: { type: "string", short: "x" },
  "proxy-user": { type: "string" },
  via: { type: "string" },
  only: { type: "string" },
  ask: { type: "boolean" },
  "expect-status": { type: "string" },
  yes: { type: "boolean", short: "y" },
  json: { type: "boolean" },
  html: { type: "string" },
  quiet: { type: "boolean", short: "q" },
} as const satisfies ParseArgsConfig["options"];

const DEFAULT_CONTENT_BYTES = 16_384;
const PUSHED_BYTES = 1_048_576;

/**
 * Reads the command line.
 *
 * @returns `"help"` for `--help`.
 * @throws {UsageError} for a wrong option or value.
 */
export function parseProbeArgs(args: readonly string[]): ProbeOptions | "help" {
  const { values, positionals } = parsed(args);
  if (values.help) return "help";
  const [address, ...more] = positionals;
  if (address === undefined) throw new UsageError("URL: received none; expected the URL of an upload");
  if (more.length > 0) throw new UsageError(`URL: received ${positionals.length} of them; expected one`);
  const method = values.method ?? "PUT";
  if (!TOKEN.test(method)) throw wrong("--method", method, "a method such as PUT or POST");
  const only = values.only?.split(",");
  const odd = only?.find((name) => !(EXCHANGE_IDS as readonly string[]).includes(name));
  if (odd !== undefined) throw wrong("--only", odd, `some of ${EXCHANGE_IDS.join(",")}`);
  if (values.data !== undefined && values.size !== undefined) {
    throw new UsageError("--data and --size: received both; expected one of them");
  }
  const url = urlOf("URL", address);
  const content = contentOf(values.data, values.size);
  const proxy = values.proxy === undefined ? undefined : proxyOf(values.proxy, values["proxy-user"]);
  if (!proxy && values["proxy-user"] !== undefined) {
    throw new UsageError("--proxy-user: received without --proxy; expected both");
  }
  return {
    request: {
      url,
      ...(values.via !== undefined && { via: urlOf("--via", values.via) }),
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
    html: values.html,
    isQuiet: values.quiet ?? false,
    yes: values.yes ?? false,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
