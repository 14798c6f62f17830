import type { Suspect } from "./summary.js";

/** What is known about a software that often stands behind a refused expectation. */
export type SuspectFacts = Pick<Suspect, "id" | "name" | "known" | "change">;

/**
 * The usual suspects: whether they send `Expect`, how long they wait, what they do when they are refused, and what to
 * change on their side. What they do was measured for curl, boto3, aws-sdk-js 3, Go, Java, Guzzle, the Python and Ruby
 * libraries, LWP, wget and the proxies; of the other AWS SDKs, .NET and gateways it is what their vendors document.
 */
export const SUSPECTS: readonly SuspectFacts[] = [
  {
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
  },
  {
    id: "boto",
    name: "AWS CLI, Boto3 and botocore",
    known: [
      "Sends Expect: 100-continue with every S3 upload from a file, whatever its size.",
      "Waits 1 second, then sends the body all the same.",
      "After a refusal on a connection that stays open, the next request goes where the body should be; a 503 there makes it hang. With Connection: close it repeats cleanly.",
      "Takes an interim 103 for success, with nothing stored.",
    ],
    change: [
      'Leave the header out: client.meta.events.unregister("before-call.s3", botocore.handlers.add_expect_header)',
      "The AWS CLI has no option for it: let every hop before the server pass the 100 on.",
    ],
  },
  {
    id: "aws-sdk-js",
    name: "AWS SDK for JavaScript 3",
    known: [
      "Sends Expect: 100-continue with S3 uploads from 2 MiB on.",
      "Waits 6 seconds; not at all with an httpAgent of one's own.",
      "Makes a new connection after a refusal.",
    ],
    change: [
      "Leave the header out: new S3Client({ expectContinueHeader: false }), or a number of bytes as the threshold.",
      "Older versions do not know that option: update @aws-sdk/client-s3.",
    ],
  },
  {
    id: "aws-sdk-js-2",
    name: "AWS SDK for JavaScript 2",
    known: [
      "Sends Expect: 100-continue with S3 uploads from 1 MiB on, in Node.",
      "Waits for the 100 until its own timeout ends the request.",
    ],
    change: [
      'Leave the header out: s3.putObject(params).on("afterBuild", (request) => { delete request.httpRequest.headers.Expect; })',
      "Move to version 3: version 2 is no longer maintained.",
    ],
  },
  {
    id: "aws-sdk-java",
    name: "AWS SDK for Java",
    known: [
      "Sends Expect: 100-continue with every S3 PutObject and UploadPart.",
      "Its own interceptor adds the header: a setting of the HTTP client alone does not take it away.",
    ],
    change: [
      "Version 2: S3Configuration.builder().expectContinueEnabled(false)",
      "Version 1: new ClientConfiguration().withUseExpectContinue(false)",
    ],
  },
  {
    id: "aws-sdk-net",
    name: "AWS SDK for .NET",
    known: ["Sends Expect: 100-continue with S3's PutObject and UploadPart.", "Has no option for it."],
    change: [
      "Use a request class of your own: class PlainPut : PutObjectRequest { protected override bool Expect100Continue => false; }",
    ],
  },
  {
    id: "aws-sdk-go",
    name: "AWS SDK for Go",
    known: [
      "Sends Expect: 100-continue with S3 uploads from 2 MB on, and with those of unknown length.",
      "Waits as Go's http.Transport does: 1 second.",
    ],
    change: [
      "Version 2: s3.NewFromConfig(cfg, func(o *s3.Options) { o.ContinueHeaderThresholdBytes = -1 })",
      "Version 1: aws.Config{S3Disable100Continue: aws.Bool(true)}",
    ],
  },
  {
    id: "aws-sdk-php",
    name: "AWS SDK for PHP",
    known: ["Sends Expect: 100-continue with bodies from 1 MiB on, through Guzzle and curl.", "Waits 1 second."],
    change: ["Leave the header out: new S3Client(['http' => ['expect' => false], …])"],
  },
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
  {
    id: "nginx",
    name: "nginx",
    known: [
      "With proxy_pass it sends the 100 itself, at once, and takes Expect away: the body is on its way before anybody is asked.",
      "With proxy_set_header Expect every accepted upload hangs.",
    ],
    change: ["Take proxy_set_header Expect out of the configuration.", "Let auth_request ask before the body is read."],
  },
  {
    id: "haproxy",
    name: "HAProxy",
    known: ["Passes Expect and the 100 on; with option http-buffer-request it sends the 100 itself."],
    change: ["Take option http-buffer-request out where uploads go."],
  },
  {
    id: "squid",
    name: "Squid",
    known: [
      "Passes Expect and the 100 on; with force_request_body_continuation it sends the 100 itself.",
      "Old versions answer Expect with a 417 of their own, which no log of this server shows.",
    ],
    change: [
      "Take force_request_body_continuation out where uploads go.",
      "Before version 5: ignore_expect_100 on; better, update it.",
    ],
  },
  {
    id: "varnish",
    name: "Varnish",
    known: ["Sends the 100 itself, at once, and takes Expect away."],
    change: ["Take uploads past it: std.late_100_continue(true) and return (pipe), with Expect set again in vcl_pipe."],
  },
  {
    id: "caddy",
    name: "Caddy",
    known: [
      "Sends a 100 itself besides the origin's; with expect_continue_timeout still in some of a thousand uploads.",
    ],
    change: ["Let it ask first: forward_auth, and header_up -Expect towards the origin."],
  },
  {
    id: "apache-httpd",
    name: "Apache httpd",
    known: [
      "Passes Expect and the 100 on; with ping=2 it sends Expect for clients that sent none.",
      "Makes a 500 of a refusal on a connection that stays open; with Proxy100Continue Off it sends the 100 itself.",
    ],
    change: ["Take ping= out of ProxyPass, and leave Proxy100Continue on."],
  },
  {
    id: "gateway",
    name: "API gateways",
    known: [
      "Stands between the client and this server, and may send Expect for clients that sent none, or answer it itself.",
      "Not measured: it depends on the product's version and settings.",
    ],
    change: [
      "Ask each hop by itself, from the inside out: express-expectations probe URL",
      "Where the product has no setting for it, speak HTTP/1.0 to this server: that has no Expect.",
    ],
  },
  {
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
  },
];
