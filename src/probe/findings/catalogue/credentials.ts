import type { Entries } from "./entry.js";
import { CREDENTIALS, client } from "./fixes.js";

/** Findings about requests for credentials. */
export const CREDENTIAL_ENTRIES: Entries<"proxy-auth" | "auth-loop" | "auth-required"> = {
  "proxy-auth": {
    severity: "error",
    title: "the proxy asks for credentials (407)",
    cause: "The forward proxy refuses the request and does not forward it. The origin was not asked.",
    fixes: [
      client("Pass the proxy's credentials.", "curl --proxy-user NAME --proxy-anyauth -T FILE URL"),
      client(
        "If the proxy's authentication takes several round trips (NTLM, Negotiate), leave Expect out.",
        "curl -H 'Expect:' --proxy-anyauth -T FILE URL",
      ),
    ],
    supersedes: ["expect-fails", "auth-required"],
  },
  "auth-loop": {
    severity: "error",
    title: "credentials are sent and asked for again",
    cause:
      "The credentials are wrong, or the scheme is not Basic, or the handshake closes the connection that the scheme authenticates (NTLM, Negotiate).",
    fixes: [
      client("Let the client pick the scheme.", "curl --anyauth --user NAME -T FILE URL"),
      client("For NTLM and Negotiate, leave Expect out.", "curl -H 'Expect:' --anyauth --user NAME -T FILE URL"),
    ],
    supersedes: ["proxy-auth", "auth-required", "expect-fails"],
  },
  "auth-required": {
    severity: "warning",
    title: "401: the endpoint asks for credentials",
    cause: "Uploads without credentials are refused, as they should be. Uploads with credentials were not tested.",
    fixes: [CREDENTIALS, client("If the 401 is meant, say so.", "express-expectations probe --expect-status 401 URL")],
    supersedes: ["expect-fails"],
  },
};
