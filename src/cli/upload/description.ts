import { COMMON_OPTIONS, type Description } from "../description.js";

/** The options of `upload`, without those of every command. */
export const UPLOAD_OPTIONS = {
  method: {
    type: "string",
    short: "X",
    value: "METHOD",
    help: "the method (PUT)",
    completes: ["PUT", "POST", "PATCH"],
  },
  header: { type: "string", short: "H", value: "'N: V'", help: "a field to send; may be repeated", multiple: true },
  user: { type: "string", short: "u", value: "NAME:PASS", help: "credentials" },
  "expect-timeout": {
    type: "string",
    value: "SECONDS",
    help: "how long to wait for the server before the content is sent (1)",
  },
  timeout: { type: "string", value: "SECONDS", help: "how long nothing may be sent or received (300)" },
  redirects: { type: "string", value: "N", help: "follows up to N redirects with 307 or 308 (0)" },
  insecure: { type: "boolean", short: "k", help: "accepts any certificate" },
  cert: { type: "string", short: "E", value: "FILE", help: "the client's certificate, PEM", completes: "files" },
  key: { type: "string", value: "FILE", help: "its key, PEM, if it is in another file", completes: "files" },
  cacert: { type: "string", value: "FILE", help: "the authorities to trust, PEM", completes: "files" },
  "http1.1": { type: "boolean", help: "does not use HTTP/2" },
  json: { type: "boolean", help: "prints the result as JSON" },
  quiet: { type: "boolean", short: "q", help: "prints the status alone, and no progress" },
} as const;

/** The command `upload`. */
export const UPLOAD: Description = {
  name: "upload",
  operands: "FILE URL",
  summary: "uploads a file, and sends nothing of it before the server has agreed",
  purpose:
    "Uploads FILE, or standard input if FILE is -. Sends the request with Expect: 100-continue, and the content only when the server has asked for it, or has said nothing for a second. Says what came of it.",
  options: { ...UPLOAD_OPTIONS, ...COMMON_OPTIONS },
  exitCodes: [
    [0, "uploaded (200 to 299)"],
    [1, "another status"],
    [2, "wrong usage"],
    [3, "no response, FILE cannot be read, or the output cannot be written"],
  ],
  completes: "files",
};
