import { readFileSync } from "node:fs";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { addressOf, basic, basicOf, type ProbeRequest, type ProxyAddress } from "../probe/request.js";
import { EXCHANGE_IDS } from "../probe/result.js";
import { ExpectationError } from "../support/errors.js";
import { parseSize } from "../support/size.js";
import { UsageError } from "./usage.js";

/** What the command line asks for. */
export interface ProbeOptions {
  readonly request: ProbeRequest;
  readonly isJson: boolean;
  readonly html: string | undefined;
  readonly isQuiet: boolean;
  /** Content may be sent without a question. */
  readonly yes: boolean;
}

export const PROBE_HELP: string = `Usage: express-expectations probe [OPTION…] URL

Says what happens to an upload with Expect: 100-continue on the wire, which hop breaks it,
the likely cause, and what to change. Sends at most 20 requests to the URL, one after another.

  -X, --method METHOD     the upload's method (PUT)
  -H, --header 'N: V'     a field to send; may be repeated
  -u, --user NAME:PASS    credentials for the endpoint
  -d, --data TEXT|@FILE   the content to send
      --size SIZE         how much content to send (16kb; 1mb where it is pushed without waiting)
      --timeout SECONDS   how long one wait takes at most (5)
  -k, --insecure          passes over certificates
      --resolve HOST:PORT:ADDRESS  where to find a host; may be repeated
  -x, --proxy URL         an HTTP forward proxy, http://[NAME:PASS@]HOST:PORT
      --proxy-user NAME:PASS  credentials for the proxy
      --via URL           reaches the origin directly: the differences are the proxy's doing
      --only NAMES        these exchanges alone: ${EXCHANGE_IDS.slice(0, 8).join(",")},
                          ${EXCHANGE_IDS.slice(8).join(",")}
  -y, --yes               sends content without asking; the endpoint might store it
      --json              prints the result as JSON
      --html FILE         writes the result as a page
  -q, --quiet             prints the verdict alone

Exit codes: 0 healthy, 1 findings, 2 wrong usage, 3 unreachable
`;

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
  yes: { type: "boolean", short: "y" },
  json: { type: "boolean" },
  html: { type: "string" },
  quiet: { type: "boolean", short: "q" },
} as const satisfies ParseArgsConfig["options"];

const DEFAULT_CONTENT_BYTES = 16_384;
const PUSHED_BYTES = 1_048_576;
const DEFAULT_TIMEOUT_S = 5;
const MAX_TIMEOUT_S = 600;
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** What makes an exchange what it is, and is not to be changed from outside. */
const OWN_FIELDS = new Set(["expect", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"]);

/**
 * Reads the command line.
 *
 * @returns `"help"` where help is asked for.
 * @throws {UsageError}
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

function urlOf(option: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.hostname !== "") return url;
  // Not what was received: it may carry a password.
  throw new UsageError(`${option}: received what is no http or https URL; expected such as https://example.com/upload`);
}

function headersOf(lines: readonly string[], user: string | undefined): [string, string][] {
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon));
    if (!TOKEN.test(name)) throw new UsageError("--header: received a line without a name; expected 'Name: value'");
    const value = Buffer.from(line.slice(colon + 1).trim(), "utf8").toString("latin1");
    if (["\0", "\r", "\n"].some((c) => value.includes(c)))
      throw new UsageError(`--header: received a line break in ${name}; expected one line`);
    if (OWN_FIELDS.has(name.toLowerCase())) {
      throw wrong("--header", name, "another field: the probe sets this one itself, in each exchange as it needs it");
    }
    return [name, value];
  });
  if (user === undefined) return headers;
  return [
    ...headers.filter(([name]) => name.toLowerCase() !== "authorization"),
    ["Authorization", credentials("--user", user)],
  ];
}

function credentials(option: string, user: string): string {
  if (user.includes(":")) return basic(user);
  throw new UsageError(`${option}: received no colon; expected NAME:PASSWORD`);
}

function contentOf(data: string | undefined, size: string | undefined): Buffer | undefined {
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

function timeoutOf(text: string | undefined): number {
  const seconds = text === undefined ? DEFAULT_TIMEOUT_S : Number(text);
  if (seconds > 0 && seconds <= MAX_TIMEOUT_S && text?.trim() !== "") return Math.max(1, Math.round(seconds * 1_000));
  throw wrong("--timeout", text ?? "", `seconds, up to ${MAX_TIMEOUT_S}`);
}

function resolved(text: string): [string, string] {
  const match = /^(.+?):(\d{1,5}):\[?([\da-f.:]+)\]?$/i.exec(text);
  if (!match) throw wrong("--resolve", text, "HOST:PORT:ADDRESS");
  return [`${(match[1] as string).toLowerCase()}:${match[2]}`, match[3] as string];
}

function proxyOf(text: string, user: string | undefined): ProxyAddress {
  const url = urlOf("--proxy", text.includes("://") ? text : `http://${text}`);
  const authorization = user === undefined ? basicOf(url) : credentials("--proxy-user", user);
  return { ...addressOf(url), ...(authorization !== undefined && { authorization }) };
}

function wrong(option: string, received: string, expected: string): UsageError {
  return new UsageError(`${option}: received ${JSON.stringify(received)}; expected ${expected}`);
}
