import type { SuspectFacts } from "./facts.js";

/** The AWS CLI and the AWS SDKs. */
export const AWS_CLIENTS: readonly SuspectFacts[] = [
  {
    id: "boto",
    name: "AWS CLI, Boto3 and botocore",
    known: [
      "Sends Expect: 100-continue with every S3 upload from a file, of any size.",
      "Waits 1 second, then sends the body all the same.",
      "After a refusal on a connection that stays open, it sends the next request in place of the body. A 503 then makes it hang. After Connection: close it repeats the upload on a new connection.",
      "Reports success after an interim 103, although nothing is stored.",
    ],
    change: ["Let every hop before the server forward the 100."],
    leaveOut: [
      'Leave the header out: client.meta.events.unregister("before-call.s3", botocore.handlers.add_expect_header)',
      "The AWS CLI has no option to leave it out.",
    ],
  },
  {
    id: "aws-sdk-js",
    name: "AWS SDK for JavaScript 3",
    known: [
      "Sends Expect: 100-continue with S3 uploads from 2 MiB on.",
      "Waits 6 seconds. With a custom httpAgent it does not wait.",
      "Opens a new connection after a refusal.",
    ],
    change: [],
    leaveOut: [
      "Leave the header out: new S3Client({ expectContinueHeader: false }), or a number of bytes as the threshold.",
      "Older versions do not have this option: update @aws-sdk/client-s3.",
    ],
  },
  {
    id: "aws-sdk-js-2",
    name: "AWS SDK for JavaScript 2",
    known: [
      "Sends Expect: 100-continue with S3 uploads from 1 MiB on, in Node.",
      "Waits for the 100 until its own timeout ends the request.",
    ],
    change: ["Move to version 3: version 2 is no longer maintained."],
    leaveOut: [
      'Leave the header out: s3.putObject(params).on("afterBuild", (request) => { delete request.httpRequest.headers.Expect; })',
    ],
  },
  {
    id: "aws-sdk-java",
    name: "AWS SDK for Java",
    known: [
      "Sends Expect: 100-continue with every S3 PutObject and UploadPart.",
      "Its own interceptor adds the header. A setting of the HTTP client does not remove it.",
    ],
    change: [],
    leaveOut: [
      "Version 2: S3Configuration.builder().expectContinueEnabled(false)",
      "Version 1: new ClientConfiguration().withUseExpectContinue(false)",
    ],
  },
  {
    id: "aws-sdk-net",
    name: "AWS SDK for .NET",
    known: ["Sends Expect: 100-continue with S3's PutObject and UploadPart.", "Has no option for it."],
    change: [],
    leaveOut: [
      "Use your own request class: class PlainPut : PutObjectRequest { protected override bool Expect100Continue => false; }",
    ],
  },
  {
    id: "aws-sdk-go",
    name: "AWS SDK for Go",
    known: [
      "Sends Expect: 100-continue with S3 uploads from 2 MB on, and with those of unknown length.",
      "Waits as Go's http.Transport does: 1 second.",
    ],
    change: [],
    leaveOut: [
      "Version 2: s3.NewFromConfig(cfg, func(o *s3.Options) { o.ContinueHeaderThresholdBytes = -1 })",
      "Version 1: aws.Config{S3Disable100Continue: aws.Bool(true)}",
    ],
  },
  {
    id: "aws-sdk-php",
    name: "AWS SDK for PHP",
    known: ["Sends Expect: 100-continue with bodies from 1 MiB on, through Guzzle and curl.", "Waits 1 second."],
    change: [],
    leaveOut: ["Leave the header out: new S3Client(['http' => ['expect' => false], …])"],
  },
];
