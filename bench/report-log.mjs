// Writes a log of requests and refusals as pino writes them: `node bench/report-log.mjs FILE MEGABYTES [SHARE]`. SHARE is
// the share of lines that are refusals: 1, or 0.01.
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { pathToFileURL } from "node:url";

const USER_AGENTS = [
  "curl/7.88.1",
  "curl/8.14.1",
  "GuzzleHttp/7",
  "Go-http-client/1.1",
  "Java-http-client/17.0.15",
  "okhttp/4.12.0",
  "python-requests/2.32.3",
  "Apache-HttpClient/4.5.14 (Java/17.0.15)",
  "Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/python#3.11.7 cfg/retry-mode#legacy",
  "aws-sdk-js/3.1169.0 ua/2.1 os/linux#6.1.0 lang/js md/nodejs#20.20.2 api/s3#3.1169.0 m/E,N,e",
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
];
const REFUSALS = [
  [413, "maxSize", "larger than 10485760 bytes"],
  [413, "maxSize", "larger than 10485760 bytes"],
  [401, "authorize", "no credentials"],
  [415, "mediaTypes", "application/zip is not accepted"],
  [429, "quota", "budget used up"],
  [417, "unknown-expectation", undefined],
];
const ROUTES = ["/images/:id", "/files/*path", "/v1/buckets/:bucket/objects/:key", "/upload"];

// The same log for the same size: xorshift32, after Marsaglia.
let state = 0x9e3779b9;
function random(below) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

function pick(list) {
  return list[random(list.length)];
}

function hex(length) {
  let text = "";
  while (text.length < length) text += random(0x10000).toString(16).padStart(4, "0");
  return text.slice(0, length);
}

function record(time) {
  const [status, policy, reason] = pick(REFUSALS);
  const method = pick(["PUT", "PUT", "POST"]);
  const route = random(10) === 0 ? undefined : pick(ROUTES);
  const url = (route ?? "/other/:id").replace(/[:*]\w+/g, () => hex(8));
  const declaredLength = random(2 ** 31);
  return JSON.stringify({
    level: 40,
    time,
    pid: 4242,
    hostname: "upload-1",
    event: "expectation.refused",
    method,
    url: `${url}?token=`,
    route,
    status,
    policy,
    reason,
    expectation: random(3) === 0 ? undefined : "100-continue",
    declaredLength,
    bytesSpared: declaredLength,
    withheld: random(3) === 0 ? undefined : true,
    client: `10.0.${random(random(64) + 1)}.${random(256)}`,
    userAgent: pick(USER_AGENTS),
    durationMs: random(100_000) / 1_000,
    httpVersion: "1.1",
    requestId: hex(16),
    msg: `${method} ${url}?token= refused with ${status} by ${policy}`,
  });
}

/** A line of the application's own, as pino-http writes one for each request. */
function request(time) {
  const url = pick(ROUTES).replace(/[:*]\w+/g, () => hex(8));
  return JSON.stringify({
    level: 30,
    time,
    pid: 4242,
    hostname: "upload-1",
    req: {
      id: hex(16),
      method: pick(["GET", "GET", "PUT"]),
      url,
      headers: { host: "upload.example", "user-agent": pick(USER_AGENTS), accept: "*/*" },
      remoteAddress: `10.0.${random(64)}.${random(256)}`,
      remotePort: random(65_536),
    },
    res: { statusCode: pick([200, 201, 204, 304]), headers: { "content-type": "application/json; charset=utf-8" } },
    responseTime: random(1_000),
    msg: "request completed",
  });
}

/** Writes at least so many bytes; gives their number and that of the lines. */
export async function writeLog(path, bytes, share = 1) {
  const file = createWriteStream(path);
  const written = { bytes: 0, lines: 0 };
  let time = Date.UTC(2026, 10, 22);
  while (written.bytes < bytes) {
    let block = "";
    for (let i = 0; i < 2_000; i++) {
      time += random(4);
      block += `${random(10_000) < share * 10_000 ? record(time) : request(time)}\n`;
    }
    written.bytes += Buffer.byteLength(block);
    written.lines += 2_000;
    if (!file.write(block)) await once(file, "drain");
  }
  file.end();
  await once(file, "close");
  return written;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  console.log(await writeLog(process.argv[2], Number(process.argv[3]) * 1e6, Number(process.argv[4] ?? 1)));
}
