import type { SuspectFacts } from "./facts.js";

/** HTTP clients and libraries, by language. */
export const LIBRARIES: readonly SuspectFacts[] = [
  {
    id: "guzzle",
    name: "Guzzle",
    known: [
      "Sends Expect: 100-continue with bodies from 1 MiB on.",
      "Waits 1 second. After refusals it behaves like curl, which it uses.",
    ],
    change: ["Send it with larger bodies only: ['expect' => 10 * 1024 * 1024]"],
    leaveOut: ["Leave the header out: $client->put($uri, ['expect' => false, …])"],
  },
  {
    id: "dotnet",
    name: ".NET",
    known: [
      "HttpClient sends Expect if ExpectContinue is set, and waits 1 second (SocketsHttpHandler.Expect100ContinueTimeout).",
      ".NET Framework's HttpWebRequest sends it with every POST and PUT by default.",
    ],
    change: [],
    leaveOut: [
      "HttpClient: client.DefaultRequestHeaders.ExpectContinue = false",
      ".NET Framework: ServicePointManager.Expect100Continue = false, before the first request",
    ],
  },
  {
    id: "java-http-client",
    name: "Java HttpClient (java.net.http)",
    known: [
      "Sends Expect if expectContinue(true) is set.",
      "Waits for the 100 without a limit.",
      "Java 17 hangs on a refusal that has a body, and on two 100s. A refusal with Content-Length: 0 works.",
    ],
    change: ["Bound the wait: HttpRequest.newBuilder().timeout(Duration.ofSeconds(30))"],
    leaveOut: ["Leave the header out: HttpRequest.newBuilder().expectContinue(false)"],
  },
  {
    id: "java-url-connection",
    name: "Java HttpURLConnection",
    known: ["Sends Expect if the program sets the field.", "Waits 5 seconds, then sends the body all the same."],
    change: [],
    leaveOut: ['Leave out: connection.setRequestProperty("Expect", "100-Continue")'],
  },
  {
    id: "apache-http-client",
    name: "Apache HttpClient (Java)",
    known: [
      "Sends Expect if its configuration says so.",
      "Waits 3 seconds. The asynchronous client of version 5 waits without a limit.",
      "Version 4 reuses the connection after a refusal without having sent the body.",
    ],
    change: [],
    leaveOut: ["Leave the header out: RequestConfig.custom().setExpectContinueEnabled(false)"],
  },
  {
    id: "okhttp",
    name: "OkHttp",
    known: ["Sends Expect if the program sets the field.", "Waits for the 100 without a limit."],
    change: ["Bound the wait: OkHttpClient.Builder().callTimeout(30, TimeUnit.SECONDS)"],
    leaveOut: ['Leave out: request.header("Expect", "100-continue")'],
  },
  {
    id: "go",
    name: "Go net/http",
    known: [
      "Sends Expect if the program sets the field.",
      "Waits 1 second (Transport.ExpectContinueTimeout of the default transport). If that is 0, it does not wait.",
      "After a refusal on a connection that stays open, Go 1.19 continues without the body; Go 1.23 sends all of it.",
    ],
    change: ["Wait longer for a slow decision: &http.Transport{ExpectContinueTimeout: 10 * time.Second}"],
    leaveOut: ['Leave the header out: request.Header.Del("Expect")'],
  },
  {
    id: "python",
    neverWaits: true,
    name: "Python: requests, urllib3, httpx, http.client",
    known: [
      "Sends Expect if the program sets the field.",
      "Never waits for the 100. It sends the whole body even if refused, so the header saves nothing.",
    ],
    change: ["For large bodies, use a client that waits: aiohttp with expect100=True, pycurl."],
    leaveOut: ["Leave the header out: it gains nothing here."],
  },
  {
    id: "aiohttp",
    name: "aiohttp",
    known: ["Sends Expect if expect100=True is set.", "Waits for the 100 without a limit."],
    change: ["Bound the wait: aiohttp.ClientTimeout(total=30)"],
    leaveOut: ["Leave the header out: session.put(url, data=…, expect100=False)"],
  },
  {
    id: "tornado",
    name: "Tornado",
    known: [
      "Sends Expect if expect_100_continue=True is set.",
      "Waits for the 100 without a limit. It fails if two of them come.",
    ],
    change: [],
    leaveOut: ["Leave the header out: HTTPRequest(url, expect_100_continue=False)"],
  },
  {
    id: "ruby",
    name: "Ruby Net::HTTP",
    known: [
      "Sends Expect if the program sets the field. The AWS SDK for Ruby does so for S3 uploads.",
      "Waits 1 second if continue_timeout is set to 1.",
      "Reuses the connection after a refusal without having sent the body.",
    ],
    change: [],
    leaveOut: [
      'Leave the header out: request.delete("Expect")',
      "Leave it out in the AWS SDK for Ruby: Aws::S3::Client.new(http_continue_timeout: 0)",
    ],
  },
  {
    id: "lwp",
    name: "Perl LWP",
    known: ["Sends Expect if the program sets the field.", "Waits 2 seconds for the 100, then fails."],
    change: [],
    leaveOut: ["Leave the header out: $request->remove_header('Expect')"],
  },
  {
    id: "wget",
    neverWaits: true,
    name: "Wget",
    known: ["Sends Expect only with --header.", "Never waits for the 100. It sends the whole body even if refused."],
    change: [],
    leaveOut: ["Leave out: wget --header='Expect: 100-continue'"],
  },
  {
    id: "node",
    neverWaits: true,
    name: "Node: fetch, axios, got, node-fetch, superagent",
    known: [
      "fetch, undici (UND_ERR_NOT_SUPPORTED) and superagent cannot send Expect.",
      "axios, got and node-fetch send it if the program sets the field, and never wait for the 100.",
      'http.request waits if the program waits for its "continue" event, without a limit.',
    ],
    change: ['For large bodies, use http.request with flushHeaders() and on("continue"), and a timeout.'],
    leaveOut: ["Leave the header out with axios, got and node-fetch."],
  },
];
