import { fieldOf } from "./response-parser.js";
import type { ExchangeResult, Identification, WireEvent } from "./result.js";

type Received = Extract<WireEvent, { kind: "received" }>;

interface Trait {
  readonly name: string;
  readonly role: Identification["role"];
  readonly confidence: Identification["confidence"];
  /** What gives it away in a response; `undefined` where nothing does. */
  readonly tell: (response: Response) => string | undefined;
}

interface Response {
  readonly status: number;
  readonly lines: readonly string[];
  readonly sample: string;
}

const field =
  (name: string, pattern: RegExp) =>
  ({ lines }: Response): string | undefined => {
    const value = fieldOf(lines, name);
    return value !== undefined && pattern.test(value) ? `${name}: ${value}` : undefined;
  };

const page =
  (pattern: RegExp, what: string) =>
  ({ sample }: Response): string | undefined =>
    pattern.test(sample) ? what : undefined;

const stated = (
  name: string,
  role: Trait["role"],
  ...fields: readonly (readonly [name: string, pattern: RegExp])[]
): Trait[] => fields.map(([header, pattern]) => ({ name, role, confidence: "stated", tell: field(header, pattern) }));

const TRAITS: readonly Trait[] = [
  ...stated("nginx", "either", ["server", /^nginx\b/i]),
  ...stated("OpenResty", "either", ["server", /^openresty\b/i]),
  ...stated("Apache httpd", "either", ["server", /^apache(?:\/|$| )/i]),
  ...stated("Caddy", "either", ["server", /^caddy\b/i], ["via", /\bcaddy\b/i]),
  ...stated("Squid", "proxy", ["server", /^squid\b/i], ["via", /\bsquid\b/i], ["x-squid-error", /./]),
  ...stated("Varnish", "proxy", ["server", /^varnish\b/i], ["via", /\bvarnish\b/i], ["x-varnish", /^\d/]),
  ...stated("lighttpd", "either", ["server", /^lighttpd\b/i]),
  ...stated("h2o", "either", ["server", /^h2o\b/i]),
  ...stated("Traffic Server", "proxy", ["server", /^ATS\b/], ["via", /\bApacheTrafficServer\b/i]),
  ...stated("nghttpx", "proxy", ["server", /^nghttpx\b/i], ["via", /\bnghttpx\b/i]),
  ...stated("Envoy", "proxy", ["server", /^(?:istio-)?envoy\b/i], ["x-envoy-upstream-service-time", /./]),
  ...stated("AWS ALB", "proxy", ["server", /^awselb\//i]),
  ...stated("AWS API Gateway", "proxy", ["x-amz-apigw-id", /./], ["apigw-requestid", /./]),
  ...stated("CloudFront", "proxy", ["server", /^cloudfront\b/i], ["x-amz-cf-id", /./], ["via", /\bCloudFront\b/]),
  ...stated("Amazon S3", "server", ["server", /^AmazonS3$/]),
  ...stated("Cloudflare", "proxy", ["server", /^cloudflare\b/i], ["cf-ray", /./]),
  ...stated("Fastly", "proxy", ["x-served-by", /^cache-/]),
  ...stated("Google front end", "proxy", ["server", /^(?:GFE|gws|Google Frontend)\b/], ["via", /\bgoogle\b/]),
  ...stated("Azure gateway", "proxy", ["server", /^Microsoft-Azure-Application-Gateway/i]),
  ...stated("IIS", "server", ["server", /^Microsoft-(?:IIS|HTTPAPI)\//i]),
  ...stated("Kestrel", "server", ["server", /^Kestrel\b/]),
  ...stated("Jetty", "server", ["server", /^Jetty\b/i]),
  ...stated("Tomcat", "server", ["server", /^Apache-Coyote\b/i]),
  ...stated("Python", "server", ["server", /\b(?:CPython|Python|gunicorn|uvicorn|Werkzeug|TornadoServer)\b/i]),
  ...stated("Privoxy", "proxy", ["server", /^Privoxy\b/i]),
  ...stated("tinyproxy", "proxy", ["server", /^tinyproxy\b/i], ["via", /\btinyproxy\b/i]),
  ...stated("Zscaler", "proxy", ["server", /^Zscaler/i], ["via", /\bzscaler\b/i]),
  ...stated("Express", "server", ["x-powered-by", /^Express$/]),
  {
    name: "HAProxy",
    role: "proxy",
    confidence: "likely",
    tell: page(
      /^<html><body><h1>\d{3} [A-Z][a-z]+(?: [a-z]+)*<\/h1>\\x0a.*\\x0a<\/body><\/html>/,
      "an error page in the words of HAProxy's own",
    ),
  },
  { name: "HAProxy", role: "proxy", confidence: "stated", tell: field("server", /^haproxy\b/i) },
  { name: "nginx", role: "either", confidence: "likely", tell: page(/<hr><center>nginx/, "nginx's error page") },
  {
    name: "Node.js",
    role: "server",
    confidence: "likely",
    tell: (response) => {
      if (fieldOf(response.lines, "server") !== undefined) return undefined;
      return /^timeout=\d+$/.test(fieldOf(response.lines, "keep-alive") ?? "")
        ? "Keep-Alive: timeout=N without a Server field, as Node writes it"
        : undefined;
    },
  },
  {
    name: "Go net/http",
    role: "server",
    confidence: "possible",
    tell: ({ lines }) =>
      lines.includes("X-Content-Type-Options: nosniff") &&
      lines.includes("Content-Type: text/plain; charset=utf-8") &&
      fieldOf(lines, "server") === undefined
        ? "an error in the form of Go's http.Error"
        : undefined,
  },
];

const RANK: Readonly<Record<Identification["confidence"], number>> = { stated: 0, likely: 1, possible: 2 };

/** Programs that answered in these exchanges; each once, by its best trait. */
export function identify(exchanges: readonly ExchangeResult[]): Identification[] {
  const found = new Map<string, Identification>();
  for (const response of exchanges.flatMap(responsesOf)) {
    for (const { name, role, confidence, tell } of TRAITS) {
      const because = tell(response);
      const known = found.get(name);
      if (because === undefined || (known && RANK[known.confidence] <= RANK[confidence])) continue;
      found.set(name, { name, role, confidence, because });
    }
  }
  return [...found.values()].sort((a, b) => RANK[a.confidence] - RANK[b.confidence]);
}

function responsesOf({ events }: ExchangeResult): Response[] {
  return events.flatMap((event, index) => {
    if (event.kind !== "received") return [];
    const complete = events.slice(index).find(({ kind }) => kind === "complete");
    return [{ ...(event as Received), sample: complete?.kind === "complete" ? complete.sample : "" }];
  });
}
