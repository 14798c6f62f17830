import { AWS_CLIENTS } from "./aws.js";
import type { SuspectFacts } from "./facts.js";
import { LIBRARIES } from "./libraries.js";
import { PROXIES } from "./proxies.js";

const CURL: SuspectFacts = {
  id: "curl",
  name: "curl and libcurl",
  known: [
    "Sends Expect: 100-continue with bodies of more than 1 MiB and with bodies from standard input. Version 7.88 sends it with every PUT of a file.",
    "Waits 1 second, then sends the body all the same.",
    "After a 417 it repeats the request without Expect, with the whole body, if the connection stays open. After Connection: close it does not.",
  ],
  change: ["Wait longer for a slow decision: curl --expect100-timeout 10 …"],
  leaveOut: ["Leave the header out: curl -H 'Expect:' …", 'In PHP: curl_setopt($ch, CURLOPT_HTTPHEADER, ["Expect:"])'],
};

const UNNAMED: SuspectFacts = {
  id: "unnamed",
  name: "Clients without a User-Agent",
  known: [
    ".NET's HttpClient and HttpWebRequest, Node's http.request, PHP's curl functions and Python's http.client send no User-Agent.",
    ".NET Framework sends Expect with every POST and PUT, PHP's curl with bodies of more than 1 MiB.",
  ],
  change: [],
  leaveOut: [
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
