/** A family of client software, recognised by its `User-Agent` field. */
interface Family {
  /** The first group is the version. */
  readonly pattern: RegExp;
  /** `%` stands for the version. */
  readonly label: string;
  /** The `id` in `SUSPECTS`. */
  readonly suspect?: string;
}

const MAJOR = "(\\d+)";
const MINOR = "(\\d+(?:\\.\\d+)?)";

/**
 * The families, in order of precedence.
 *
 * The first match counts: software often also names what it is built upon, further to the right.
 */
export const FAMILIES: readonly Family[] = [
  family(`^aws-cli/${MINOR}`, "AWS CLI %", "boto"),
  family(`^aws-sdk-(?:js|nodejs)/2\\b`, "aws-sdk-js 2", "aws-sdk-js-2"),
  family(`^aws-sdk-(?:js|nodejs)/${MAJOR}`, "aws-sdk-js %", "aws-sdk-js"),
  family(`^aws-sdk-java/${MINOR}`, "aws-sdk-java %", "aws-sdk-java"),
  family(`^aws-sdk-(?:dotnet|net)[a-z0-9-]*/${MINOR}`, "aws-sdk-net %", "aws-sdk-net"),
  family(`^aws-sdk-go/${MINOR}`, "aws-sdk-go %", "aws-sdk-go"),
  family(`^aws-sdk-go-v2/${MINOR}`, "aws-sdk-go-v2 %", "aws-sdk-go"),
  family(`^aws-sdk-php\\d?/${MINOR}`, "aws-sdk-php %", "aws-sdk-php"),
  family(`^aws-sdk-ruby\\d?/${MINOR}`, "aws-sdk-ruby %", "ruby"),
  family(`^aws-sdk-([a-z]+)/`, "aws-sdk-%"),
  family(`^Boto3/${MINOR}`, "Boto3 %", "boto"),
  family(`^(?:aiobotocore|Botocore)/${MINOR}`, "Botocore %", "boto"),
  family(`\\bminio-([a-z]+)/`, "MinIO %"),
  family(`^rclone/v?${MINOR}`, "rclone %", "go"),
  family(`^GuzzleHttp/${MINOR}`, "Guzzle %", "guzzle"),
  family(`^Symfony HttpClient \\(Curl\\)`, "Symfony HttpClient (curl)", "curl"),
  family(`^Symfony HttpClient`, "Symfony HttpClient"),
  family(`^PycURL/${MINOR}`, "PycURL %", "curl"),
  family(`^Typhoeus\\b`, "Typhoeus", "curl"),
  family(`^git/${MINOR}`, "git %", "curl"),
  family(`^(?:lib)?curl/${MINOR}`, "curl %", "curl"),
  family(`^Java-http-client/${MAJOR}`, "Java % HttpClient", "java-http-client"),
  family(`^Java/1\\.${MAJOR}`, "Java % HttpURLConnection", "java-url-connection"),
  family(`^Java/${MAJOR}`, "Java % HttpURLConnection", "java-url-connection"),
  family(`^Apache-Http(?:Async)?Client/${MINOR}`, "Apache HttpClient %", "apache-http-client"),
  family(`^Apache-HttpClient\\b`, "Apache HttpClient", "apache-http-client"),
  family(`^okhttp/${MINOR}`, "OkHttp %", "okhttp"),
  family(`^ReactorNetty/${MINOR}`, "Reactor Netty %"),
  family(`^go-resty/${MINOR}`, "Resty %", "go"),
  family(`^Go-http-client/${MINOR}`, "Go http %", "go"),
  family(`^python-requests/${MINOR}`, "requests %", "python"),
  family(`^python-urllib3/${MINOR}`, "urllib3 %", "python"),
  family(`^python-httpx/${MINOR}`, "httpx %", "python"),
  family(`\\baiohttp/${MINOR}`, "aiohttp %", "aiohttp"),
  family(`^Python-urllib/${MINOR}`, "Python % urllib", "python"),
  family(`^Python(?:-http\\.client)?/${MINOR}`, "Python %", "python"),
  family(`^Tornado/${MINOR}`, "Tornado %", "tornado"),
  family(`^Faraday v${MINOR}`, "Faraday %", "ruby"),
  family(`^rest-client/${MINOR}`, "rest-client %", "ruby"),
  family(`^Ruby$`, "Ruby Net::HTTP", "ruby"),
  family(`\\blibwww-perl/${MINOR}`, "LWP %", "lwp"),
  family(`^HTTP-Tiny/${MINOR}`, "HTTP::Tiny %"),
  family(`^Wget/${MINOR}`, "Wget %", "wget"),
  family(`^RestSharp/${MAJOR}`, "RestSharp %", "dotnet"),
  family(`\\b(?:Windows)?PowerShell/${MINOR}`, "PowerShell %", "dotnet"),
  family(`^(?:\\.NET|dotnet)[ /]${MINOR}`, ".NET %", "dotnet"),
  family(`^axios/${MINOR}`, "axios %", "node"),
  family(`^got\\b`, "got", "node"),
  family(`^node-fetch\\b`, "node-fetch", "node"),
  family(`^node-superagent/${MINOR}`, "superagent %", "node"),
  family(`^(?:undici|node)$`, "Node fetch", "node"),
  family(`^AmazonAPIGateway`, "Amazon API Gateway", "gateway"),
  family(`\\b(?:WSO2|Synapse)[\\w-]*`, "WSO2", "gateway"),
  family(`\\b(?:Axway|Vordel)\\b`, "Axway API Gateway", "gateway"),
  family(`\\bApigee\\b`, "Apigee", "gateway"),
  family(`\\bKong/${MINOR}`, "Kong %", "gateway"),
  family(`\\bEnvoy\\b`, "Envoy", "gateway"),
  family(`\\bTraefik\\b`, "Traefik", "gateway"),
  family(`\\bnginx(?:/${MINOR})?`, "nginx %", "nginx"),
  family(`\\bHA-?Proxy(?:/${MINOR})?`, "HAProxy %", "haproxy"),
  family(`\\bSquid(?:/${MINOR})?`, "Squid %", "squid"),
  family(`\\bVarnish(?:/${MINOR})?`, "Varnish %", "varnish"),
  family(`\\bCaddy(?:/${MINOR})?`, "Caddy %", "caddy"),
  family(`^Apache/${MINOR}`, "Apache httpd %", "apache-httpd"),
  family(`\\bEdg(?:e|A|iOS)?/${MAJOR}`, "Edge %"),
  family(`\\bOPR/${MAJOR}`, "Opera %"),
  family(`\\b(?:Headless)?(?:Chrome|CriOS)/${MAJOR}`, "Chrome %"),
  family(`\\b(?:Firefox|FxiOS)/${MAJOR}`, "Firefox %"),
  family(`\\bVersion/${MAJOR}[\\d.]* (?:Mobile/\\w+ )?Safari/`, "Safari %"),
];

function family(pattern: string, label: string, suspect?: string): Family {
  return { pattern: new RegExp(pattern, "i"), label, ...(suspect !== undefined && { suspect }) };
}
