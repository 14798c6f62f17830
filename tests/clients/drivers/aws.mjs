// @aws-sdk/client-s3 behind the protocol of ../suite/driver.mjs. The address is /BUCKET/KEY, the first credentials are
// wrong where there are others.
//
//   node aws.mjs default|own-agent|off
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

const [mode] = process.argv.slice(2);
let accessKeyId = "nobody";
let client;

function clientOf(endpoint) {
  client ??= new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: "WHEN_REQUIRED",
    // An expiry in the past: asked for again at each request.
    credentials: async () => ({ accessKeyId, secretAccessKey: "secret", expiration: new Date(0) }),
    ...(mode === "off" ? { expectContinueHeader: false } : {}),
    ...(mode === "own-agent" ? { requestHandler: { httpAgent: new Agent({ keepAlive: true }) } } : {}),
  });
  return client;
}

async function put(url, file) {
  const { origin, pathname } = new URL(url);
  const [, Bucket, Key] = pathname.split("/");
  try {
    const { $metadata } = await clientOf(origin).send(new PutObjectCommand({ Bucket, Key, Body: readFileSync(file) }));
    return $metadata.httpStatusCode;
  } catch (error) {
    if (error.$metadata?.httpStatusCode) return error.$metadata.httpStatusCode;
    throw error;
  }
}

async function upload(credentials, url, file) {
  accessKeyId = "nobody";
  try {
    const status = await put(url, file);
    if (status !== 401 || credentials === "-") return [status, ""];
    [accessKeyId] = credentials.split(":");
    return [await put(url, file), "caller"];
  } catch (error) {
    return [0, `${error.code ?? error.name}: ${error.message}`.replace(/\s+/g, " ")];
  }
}

const { version } = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve("@aws-sdk/client-s3/package.json"), "utf8"),
);
console.log(`ready\t${version}`);
for await (const line of createInterface({ input: process.stdin })) {
  const [credentials, , ...uploads] = line.split("\t");
  const first = await upload(credentials, uploads[0], uploads[1]);
  const next = await upload("-", uploads[2], uploads[3]);
  console.log([...first, ...next].join("\t"));
}
process.exit();
