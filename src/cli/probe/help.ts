import { EXCHANGE_IDS } from "../../probe/exchange-result.js";

/** The text of `express-expectations probe --help`. */
export const PROBE_HELP: string = `Usage: express-expectations probe [OPTION…] URL

Says what happens to an upload with Expect: 100-continue on the wire, which hop breaks it,
the likely cause, and what to change. Sends at most 22 requests to the URL, one after another.

  -X, --method METHOD     the upload's method (PUT)
  -H, --header 'N: V'     a field to send; may be repeated
  -u, --user NAME:PASS    credentials for the endpoint
  -d, --data TEXT|@FILE   the content to send
      --size SIZE         how much content to send (16kb; 1mb where it is pushed without waiting)
      --timeout SECONDS   how long one wait takes at most (5)
  -k, --insecure          passes over certificates
      --resolve HOST:PORT:ADDRESS  where to find a host; may be repeated
  -x, --proxy URL         an HTTP forward proxy, http://[NAME:PASS@]HOST:PORT
      --proxy-user NAME:PASS  credentials for the proxy
      --via URL           reaches the origin directly: the differences are the proxy's doing
      --only NAMES        these exchanges alone: ${EXCHANGE_IDS.slice(0, 8).join(",")},
                          ${EXCHANGE_IDS.slice(8).join(",")}
      --ask               asks before uploading, too, and compares: OPTIONS with Upload-Length
  -y, --yes               sends content without asking; the endpoint might store it
      --json              prints the result as JSON
      --html FILE         writes the result as a page
  -q, --quiet             prints the verdict alone

Exit codes: 0 healthy, 1 findings, 2 wrong usage, 3 unreachable
`;
