import type { SuspectFacts } from "./facts.js";

/** HTTP clients and libraries, by language. */
export const LIBRARIES: readonly SuspectFacts[] = [
  {
    id: "guzzle",
    name: "Guzzle",
    known: [
      "Sends Expect: 100-continue with bodies from 1 MiB on.",
      "Waits 1 second, and does on refusals what curl does, which it is built upon.",
    ],
    change: [
      "Leave the header out: $client->put($uri, ['expect' => false, …])",
      "Send it with larger bodies alone: ['expect' => 10 * 1024 * 1024]",
    ],
  },
  {
    id: "dotnet",
    name: ".NET",
    known: [
      "HttpClient sends Expect where ExpectContinue is set, and waits 1 second (SocketsHttpHandler.Expect100ContinueTimeout).",
      ".NET Framework's HttpWebRequest sends it with every POST and PUT unless told otherwise.",
    ],
    change: [
      "HttpClient: client.DefaultRequestHeaders.ExpectContinue = false",
      ".NET Framework: ServicePointManager.Expect100Continue = false, before the first request",
    ],
  },
  {
    id: "java-http-client",
    name: "Java HttpClient (java.net.http)",
    known: [
      "Sends Expect where expectContinue(true) is set.",
      "Waits for the 100 for ever.",
      "Java 17 hangs for ever on a refusal that has a body; with Content-Length: 0 it is fine. Two 100s hang it, too.",
    ],
    change: [
      "Leave the header out: HttpRequest.newBuilder().expectContinue(false)",
      "Bound the wait: HttpRequest.newBuilder().timeout(Duration.ofSeconds(30))",
    ],
  },
  {
    id: "java-url-connection",
    name: "Java HttpURLConnection",
    known: ["Sends Expect where the program sets the field.", "Waits 5 seconds, then sends the body all the same."],
    change: ['Leave out: connection.setRequestProperty("Expect", "100-Continue")'],
  },
  {
    id: "apache-http-client",
    name: "Apache HttpClient (Java)",
    known: [
      "Sends Expect where its configuration says so.",
      "Waits 3 seconds; the asynchronous client of version 5 waits for ever.",
      "Version 4 uses a refused connection again without having sent the body.",
    ],
    change: ["Leave the header out: RequestConfig.custom().setExpectContinueEnabled(false)"],
  },
  {
    id: "okhttp",
    name: "OkHttp",
    known: ["Sends Expect where the program sets the field.", "Waits for the 100 for ever."],
    change: [
      'Leave out: request.header("Expect", "100-continue")',
      "Bound the wait: OkHttpClient.Builder().callTimeout(30, TimeUnit.SECONDS)",
    ],
  },
  {
    id: "go",
    name: "Go net/http",
    known: [
      "Sends Expect where the program sets the field.",
      "Waits 1 second (Transport.ExpectContinueTimeout of the default transport); not at all where that is 0.",
      "On a refused connection that stays open, Go 1.19 goes on without the body; Go 1.23 sends all of it.",
    ],
    change: [
      'Leave the header out: request.Header.Del("Expect")',
      "Wait longer for a slow verdict: &http.Transport{ExpectContinueTimeout: 10 * time.Second}",
    ],
  },
  {
    id: "python",
    name: "Python: requests, urllib3, httpx, http.client",
    known: [
      "Sends Expect where the program sets the field.",
      "Never waits for the 100: sends the whole body, refused or not, so that the header saves nothing.",
    ],
    change: [
      'Leave the header out: headers={"Expect": …} gains nothing here.',
      "Use a client that waits where bodies are large: aiohttp with expect100=True, pycurl.",
    ],
  },
  {
    id: "aiohttp",
    name: "aiohttp",
    known: ["Sends Expect where expect100=True is set.", "Waits for the 100 for ever."],
    change: [
      "Leave the header out: session.put(url, data=…, expect100=False)",
      "Bound the wait: aiohttp.ClientTimeout(total=30)",
    ],
  },
  {
    id: "tornado",
    name: "Tornado",
    known: [
      "Sends Expect where expect_100_continue=True is set.",
      "Waits for the 100 for ever; fails where two of them come.",
    ],
    change: ["Leave the header out: HTTPRequest(url, expect_100_continue=False)"],
  },
  {
    id: "ruby",
    name: "Ruby Net::HTTP",
    known: [
      "Sends Expect where the program sets the field; the AWS SDK for Ruby does for S3 uploads.",
      "Waits 1 second where continue_timeout is set to it.",
      "Uses a refused connection again without having sent the body.",
    ],
    change: [
      'Leave the header out: request.delete("Expect")',
      "Leave it out in the AWS SDK for Ruby: Aws::S3::Client.new(http_continue_timeout: 0)",
    ],
  },
  {
    id: "lwp",
    name: "Perl LWP",
    known: ["Sends Expect where the program sets the field.", "Waits 2 seconds for the 100, and then dies."],
    change: ["Leave the header out: $request->remove_header('Expect')"],
  },
  {
    id: "wget",
    name: "Wget",
    known: ["Sends Expect only with --header.", "Never waits for the 100: sends the whole body, refused or not."],
    change: ["Leave out: wget --header='Expect: 100-continue'"],
  },
  {
    id: "node",
    name: "Node: fetch, axios, got, node-fetch, superagent",
    known: [
      "fetch and undici cannot send Expect (UND_ERR_NOT_SUPPORTED), superagent neither.",
      "axios, got and node-fetch send it where the program sets the field, and never wait for the 100.",
      'http.request waits where the program does, in on("continue"), and then for ever.',
    ],
    change: [
      "Leave the header out with axios, got and node-fetch.",
      'Where bodies are large, use http.request with flushHeaders() and on("continue"), and a timeout.',
    ],
  },
];
