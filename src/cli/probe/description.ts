import { EXCHANGE_IDS } from "../../probe/exchange-result.js";
import { COMMON_OPTIONS, type Description } from "../description.js";

/** The options of `probe`, without those of every command. */
export const PROBE_OPTIONS = {
  method: {
    type: "string",
    short: "X",
    value: "METHOD",
    help: "the upload's method (PUT)",
    completes: ["PUT", "POST", "PATCH"],
  },
  header: { type: "string", short: "H", value: "'N: V'", help: "a field to send; may be repeated", multiple: true },
  user: { type: "string", short: "u", value: "NAME:PASS", help: "credentials for the endpoint" },
  data: { type: "string", short: "d", value: "TEXT|@FILE", help: "the content to send", completes: "files" },
  size: { type: "string", value: "SIZE", help: "how much content to send (16kb; 1mb if it is sent without waiting)" },
  timeout: { type: "string", value: "SECONDS", help: "how long one wait takes at most (5)" },
  insecure: { type: "boolean", short: "k", help: "accepts any certificate" },
  cert: { type: "string", short: "E", value: "FILE", help: "the client's certificate, PEM", completes: "files" },
  key: { type: "string", value: "FILE", help: "its key, PEM, if it is in another file", completes: "files" },
  cacert: { type: "string", value: "FILE", help: "the authorities to trust, PEM", completes: "files" },
  location: {
    type: "boolean",
    short: "L",
    help: "follows redirects of the upload first; credentials stay at their origin",
  },
  resolve: {
    type: "string",
    value: "HOST:PORT:ADDRESS",
    help: "the address of a host; may be repeated",
    multiple: true,
  },
  proxy: { type: "string", short: "x", value: "URL", help: "an HTTP forward proxy, http://[NAME:PASS@]HOST:PORT" },
  "proxy-user": { type: "string", value: "NAME:PASS", help: "credentials for the proxy" },
  origin: {
    type: "string",
    value: "URL",
    help: "also probes the origin directly; what differs is caused by the proxy",
  },
  via: { type: "string", value: "URL", help: "the same as --origin" },
  only: { type: "string", value: "NAMES", help: "only these exchanges, separated by commas" },
  "expect-status": {
    type: "string",
    value: "LIST",
    help: "statuses of the upload that are meant, such as 401,413: no others are healthy",
  },
  ask: { type: "boolean", help: "also asks before uploading (OPTIONS with Upload-Length), and compares" },
  yes: { type: "boolean", short: "y", help: "sends content without asking you; the endpoint might store it" },
  json: { type: "boolean", help: "prints the result as JSON" },
  html: { type: "string", value: "FILE", help: "writes the result as a page", completes: "files" },
  har: { type: "string", value: "FILE", help: "writes the exchanges as an HTTP archive", completes: "files" },
  watch: { type: "string", value: "SECONDS", help: "probes again until the URL is healthy, so long apart" },
  verbose: { type: "boolean", short: "v", help: "shows the bytes of each finding, and what each exchange is" },
  quiet: { type: "boolean", short: "q", help: "prints only the verdict" },
} as const;

/** The command `probe`. */
export const PROBE: Description = {
  name: "probe",
  operands: "URL",
  summary: "says what happens to an upload on the wire, which hop breaks it, and what to change",
  purpose:
    "Shows what happens to an upload with Expect: 100-continue, which hop breaks it, the likely cause, and what to change. Sends at most 22 requests to the URL, one after another.",
  options: {
    ...PROBE_OPTIONS,
    only: {
      ...PROBE_OPTIONS.only,
      help: `${PROBE_OPTIONS.only.help}: ${EXCHANGE_IDS.join(", ")}`,
      completes: EXCHANGE_IDS,
    },
    ...COMMON_OPTIONS,
  },
  exitCodes: [
    [0, "healthy"],
    [1, "findings"],
    [2, "wrong usage"],
    [3, "unreachable, or a file or the output cannot be written"],
  ],
  completes: [],
};
