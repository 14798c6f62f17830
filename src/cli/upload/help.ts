/** The text of `express-expectations upload --help`. */
export const UPLOAD_HELP: string = `Usage: express-expectations upload [OPTION…] FILE URL

Uploads FILE, or standard input if FILE is -. Sends the request with Expect: 100-continue, and the content only
when the server has asked for it, or has said nothing for a second. Says what came of it.

  -X, --method METHOD     the method (PUT)
  -H, --header 'N: V'     a field to send; may be repeated
  -u, --user NAME:PASS    credentials
      --expect-timeout SECONDS  how long to wait for the server before the content is sent (1)
      --timeout SECONDS   how long nothing may be sent or received (300)
      --redirects N       follows up to N redirects with 307 or 308 (0)
  -k, --insecure          passes over certificates
      --http1.1           does not use HTTP/2
      --json              prints the result as JSON
  -q, --quiet             prints the status alone, and no progress

Exit codes: 0 uploaded (200 to 299), 1 another status, 2 wrong usage, 3 no response, or FILE cannot be read
`;
