import type { Entries } from "./entry.js";
import { CREDENTIALS, client, server } from "./fixes.js";

const OTHER_URL = client(
  "Probe the path and the method that your uploads use.",
  "express-expectations probe -X METHOD https://HOST/PATH",
);
const MEANT = client(
  "If the status is meant, say so: then it is no finding.",
  "express-expectations probe --expect-status {status} URL",
);

/** Findings that ask whether the request is the right one: the status is not that of an endpoint for uploads. */
export const REQUEST_ENTRIES: Entries<
  | "unexpected-status"
  | "not-found"
  | "method-refused"
  | "redirected"
  | "bad-request"
  | "forbidden"
  | "server-fails"
  | "odd-status"
  | "early-success"
> = {
  "unexpected-status": {
    severity: "error",
    title: "the upload gets {status}, which is not the status that is meant",
    cause: "The status is none of those that --expect-status names.",
    fixes: [client("Compare the evidence with what you expect.")],
    supersedes: ["not-found", "method-refused", "redirected", "bad-request", "forbidden", "server-fails", "odd-status"],
  },
  "not-found": {
    severity: "warning",
    title: "{status}: is this the path that takes uploads?",
    cause: "Nothing takes uploads under this path and method, so the probe says little about the handshake.",
    fixes: [OTHER_URL, MEANT],
  },
  "method-refused": {
    severity: "warning",
    title: "{status}: does this path take this method?",
    cause: "The path refuses the method, so the probe says little about the handshake.",
    fixes: [OTHER_URL, MEANT],
  },
  redirected: {
    severity: "warning",
    title: "{status}: uploads are sent to another URL",
    cause: "The probe has tested the redirect, not the place that takes uploads.",
    fixes: [client("Probe where it leads.", "express-expectations probe --location URL"), MEANT],
    supersedes: ["unknown-ignored"],
  },
  "bad-request": {
    severity: "warning",
    title: "400: does the request lack something?",
    cause: "The server calls the request bad. It may need a field, another content type, or a client certificate.",
    fixes: [
      client(
        "Probe with the fields and the content that your uploads have.",
        "express-expectations probe -H 'Content-Type: image/png' -d @FILE URL",
      ),
      MEANT,
    ],
  },
  forbidden: {
    severity: "warning",
    title: "403: does the request need credentials?",
    cause: "The endpoint forbids the upload, so the probe says little about uploads that it would take.",
    fixes: [CREDENTIALS, MEANT],
  },
  "server-fails": {
    severity: "error",
    title: "uploads fail with {status}",
    cause: "The server, or a hop before it that does not reach the server, fails on a valid upload.",
    fixes: [
      server("Look for the request in the logs of each hop, beginning with the origin."),
      client(
        "See whether uploads without Expect fail, too. This sends content.",
        "express-expectations probe --yes --only plain,control,withheld URL",
      ),
      MEANT,
    ],
  },
  "odd-status": {
    severity: "error",
    title: "the status {status} does not exist in HTTP",
    cause: "Statuses go from 100 to 599 (RFC 9110 §15). Clients and proxies treat others differently.",
    fixes: [server("Answer with a status that HTTP defines."), MEANT],
    supersedes: ["expect-fails"],
  },
  "early-success": {
    severity: "warning",
    title: "{status} before the content was sent: nothing can have been stored",
    cause:
      "The server answers with a success to an upload whose content it has not received. The client then believes that the upload is stored.",
    fixes: [
      server("Answer with a success only after the content is read and stored, and refuse with 4xx before."),
      client(
        "If it is meant, for instance for content that the server has already, say so.",
        "express-expectations probe --expect-status {status} URL",
      ),
    ],
    supersedes: ["unknown-ignored"],
  },
};
