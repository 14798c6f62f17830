import { AWS_CLIENTS } from "./aws.js";
import type { SuspectFacts } from "./facts.js";
import { LIBRARIES } from "./libraries.js";
import { PROXIES } from "./proxies.js";

const CURL: SuspectFacts = {
  id: "curl",
  name: "curl and libcurl",
  known: [
    "Sends Expect: 100-continue with a body of more than 1 MiB, 7.88 with every PUT of a file, and always with what it reads from standard input.",
    "Waits 1 second, then sends the body all the same.",
    "Repeats a request that got a 417 without Expect, with the whole body, where the connection stayed open; not after Connection: close.",
  ],
  change: [
    "Leave the header out: curl -H 'Expect:' …",
    "Wait longer for a slow verdict: curl --expect100-timeout 10 …",
    'In PHP: curl_setopt($ch, CURLOPT_HTTPHEADER, ["Expect:"])',
  ],
};

const UNNAMED: SuspectFacts = {
  id: "unnamed",
  name: "Clients without a User-Agent",
  known: [
    ".NET's HttpClient and HttpWebRequest, Node's http.request, PHP's curl functions and Python's http.client name themselves not.",
    ".NET Framework sends Expect with every POST and PUT, PHP's curl with bodies of more than 1 MiB.",
  ],
  change: [
    ".NET Framework: ServicePointManager.Expect100Continue = false; .NET: client.DefaultRequestHeaders.ExpectContinue = false",
    'PHP: curl_setopt($ch, CURLOPT_HTTPHEADER, ["Expect:"])',
  ],
};

/**
 * The usual suspects: whether they send `Expect`, how long they wait, what they do after a refusal, and what to change.
 *
 * The behaviour of curl, boto3, aws-sdk-js 3, Go, Java, Guzzle, the Python and Ruby libraries, LWP, wget and the proxies
 * was measured (see docs/clients.md and docs/proxies.md). For the other AWS SDKs, .NET and gateways it is taken from
 * their vendors' documentation.
 */
export const SUSPECTS: readonly SuspectFacts[] = [CURL, ...AWS_CLIENTS, ...LIBRARIES, ...PROXIES, UNNAMED];
