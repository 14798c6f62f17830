import { createHash, createHmac, timingSafeEqual } from "node:crypto";

const SKEW_MS = 15 * 60_000;
const CREDENTIAL =
  /^AWS4-HMAC-SHA256 Credential=(\w+)\/(\d{8})\/([\w-]+)\/s3\/aws4_request, ?SignedHeaders=([\w;-]+), ?Signature=([0-9a-f]{64})$/;

/**
 * Checks a request's AWS Signature Version 4, as it stands in the header section.
 *
 * @param secrets - secret by access key.
 * @returns the access key; `undefined` where the signature does not hold.
 */
export function signer(req, secrets) {
  const [, accessKey, day, region, names, signature] = CREDENTIAL.exec(req.headers.authorization ?? "") ?? [];
  const secret = secrets.get(accessKey);
  const date = req.headers["x-amz-date"] ?? "";
  if (secret === undefined || !date.startsWith(day) || isStale(date)) return undefined;
  const signed = names.split(";");
  if (!["host", "x-amz-content-sha256", "x-amz-date"].every((name) => signed.includes(name))) return undefined;

  const [path, query = ""] = req.originalUrl.split("?");
  const canonical = [
    req.method,
    path,
    query.split("&").sort().join("&"),
    ...signed.map((name) => `${name}:${(req.headers[name] ?? "").trim().replace(/ +/g, " ")}`),
    "",
    names,
    req.headers["x-amz-content-sha256"],
  ].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", date, scope, createHash("sha256").update(canonical).digest("hex")].join("\n");
  const key = [day, region, "s3", "aws4_request"].reduce(hmac, `AWS4${secret}`);
  return timingSafeEqual(hmac(key, text), Buffer.from(signature, "hex")) ? accessKey : undefined;
}

function hmac(key, text) {
  return createHmac("sha256", key).update(text).digest();
}

function isStale(date) {
  const time = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  return !(Math.abs(Date.now() - time) < SKEW_MS);
}
