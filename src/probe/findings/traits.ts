import type { Identification } from "../result.js";
import { fieldOf } from "../wire/header-section.js";

/** A trait of responses that shows which program wrote them. */
interface Trait {
  readonly name: string;
  readonly role: Identification["role"];
  readonly confidence: Identification["confidence"];
  /** Returns the line or behaviour that shows it; `undefined` if the response does not. */
  readonly match: (response: Response) => string | undefined;
}

/** The parts of a response that traits look at. */
export interface Response {
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
): Trait[] => fields.map(([header, pattern]) => ({ name, role, confidence: "stated", match: field(header, pattern) }));

/** The traits of known programs. */
export const TRAITS: readonly Trait[] = [
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
  ...stated("Akamai", "proxy", ["server", /^AkamaiGHost\b/]),
  ...stated("Imperva", "proxy", ["x-cdn", /^(?:Imperva|Incapsula)\b/i], ["x-iinfo", /./]),
  ...stated("Sucuri", "proxy", ["server", /^Sucuri\b/i], ["x-sucuri-id", /./]),
  ...stated("Express", "server", ["x-powered-by", /^Express$/]),
  {
    name: "HAProxy",
    role: "proxy",
    confidence: "likely",
    match: page(
      /^<html><body><h1>\d{3} [A-Z][a-z]+(?: [a-z]+)*<\/h1>\\x0a.*\\x0a<\/body><\/html>/,
      "an error page in the words of HAProxy's own",
    ),
  },
  { name: "HAProxy", role: "proxy", confidence: "stated", match: field("server", /^haproxy\b/i) },
  {
    name: "ModSecurity",
    role: "proxy",
    confidence: "likely",
    match: page(/\bMod_?Security\b/i, "a page that names it"),
  },
  { name: "Imperva", role: "proxy", confidence: "likely", match: page(/\bIncapsula\b/, "a page that names it") },
  {
    name: "F5 BIG-IP",
    role: "proxy",
    confidence: "likely",
    match: page(/The requested URL was rejected\. Please consult with your administrator/, "a page in its own words"),
  },
  {
    name: "AWS WAF",
    role: "proxy",
    confidence: "likely",
    match: page(/Request blocked\.\s.*CloudFront/s, "CloudFront's page for a request that is blocked"),
  },
  { name: "nginx", role: "either", confidence: "likely", match: page(/<hr><center>nginx/, "nginx's error page") },
  {
    name: "Node.js",
    role: "server",
    confidence: "likely",
    match: (response) => {
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
    match: ({ lines }) =>
      lines.includes("X-Content-Type-Options: nosniff") &&
      lines.includes("Content-Type: text/plain; charset=utf-8") &&
      fieldOf(lines, "server") === undefined
        ? "an error in the form of Go's http.Error"
        : undefined,
  },
];
