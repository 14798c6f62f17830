import { EXCHANGE_IDS } from "../../probe/exchange-result.js";

/** The text of `express-expectations probe --help`. */
export const PROBE_HELP: string = `Usage: express-expectations probe [OPTION…] URL

Shows what happens to an upload with Expect: 100-continue, which hop breaks it, the likely cause,
and what to change. Sends at most 22 requests to the URL, one after another.

  -X, --method METHOD     the upload's method (PUT)
  -H, --header 'N: V'     a field to send; may be repeated
  -u, --user NAME:PASS    credentials for the endpoint
  -d, --data TEXT|@FILE   the content to send
      --size SIZE         how much content to send (16kb; 1mb if it is sent without waiting)
      --timeout SECONDS   how long one wait takes at most (5)
  -k, --insecure          accepts any certificate
  -E, --cert FILE         the client's certificate, PEM; --key FILE if its key is in another file
      --cacert FILE       the authorities to trust, PEM
  -L, --location          follows redirects of the upload first; credentials stay at their origin
      --resolve HOST:PORT:ADDRESS  the address of a host; may be repeated
  -x, --proxy URL         an HTTP forward proxy, http://[NAME:PASS@]HOST:PORT
      --proxy-user NAME:PASS  credentials for the proxy
      --origin URL        also probes the origin directly; what differs is caused by the proxy (--via is the same)
      --only NAMES        only these exchanges: ${EXCHANGE_IDS.slice(0, 8).join(",")},
                          ${EXCHANGE_IDS.slice(8).join(",")}
      --expect-status LIST  statuses of the upload that are meant, such as 401,413: no others are healthy
      --ask               also asks before uploading (OPTIONS with Upload-Length), and compares
  -y, --yes               sends content without asking you; the endpoint might store it
      --json              prints the result as JSON
      --html FILE         writes the result as a page
      --har FILE          writes the exchanges as an HTTP archive
      --watch SECONDS     probes again until the URL is healthy, so long apart
  -v, --verbose           shows the bytes of each finding, and what each exchange is
  -q, --quiet             prints only the verdict
      --color, --no-color decides about colours, as do NO_COLOR and FORCE_COLOR

Exit codes: 0 healthy, 1 findings, 2 wrong usage, 3 unreachable, or a file cannot be written
`;
