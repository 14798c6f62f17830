// What the application in server.mjs answers to a well-formed request: the oracle of the clean cases.

/** Bytes that `/limit` takes. */
export const LIMIT = 64;
/** After which `/policy-never` is refused. */
export const POLICY_TIMEOUT_MS = 300;

/** By path: the policy's status where it refuses, the application's, and whether the application asks for the content. */
const ROUTES = {
  "/read": { status: 201, reads: true },
  "/iterate": { status: 201, reads: true },
  "/read-late": { status: 201, reads: true },
  "/accept-async": { status: 201, reads: true },
  "/limit": { status: 201, reads: true },
  "/echo": { status: 200, reads: true },
  "/head-first": { status: 200, reads: true },
  "/pause": { status: 200, reads: true },
  "/first": { status: 200, reads: true },
  "/resume": { status: 200, reads: false },
  "/no-read": { status: 200, reads: false },
  "/no-read-late": { status: 200, reads: false },
  "/keep-alive": { status: 404, reads: false },
  "/throw": { status: 500, reads: false },
  "/nowhere": { status: 404, reads: false },
  "/refuse": { refused: 413, status: 404, reads: false },
  "/refuse-body": { refused: 403, status: 404, reads: false },
  "/refuse-async": { refused: 403, status: 404, reads: false },
  "/policy-throws": { refused: 500, status: 404, reads: false },
  "/policy-rejects": { refused: 500, status: 404, reads: false },
  "/policy-never": { refused: 503, status: 404, reads: false },
};

export const PATHS = Object.keys(ROUTES);
/** Paths whose policy refuses what has content or an expectation. */
export const REFUSING = ["/refuse", "/refuse-body", "/refuse-async", "/policy-throws", "/policy-rejects"];

const SAFE = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/**
 * Final statuses that are right for a request, and whether its 100 is due when the client waits for it.
 *
 * @returns `{ statuses, continues }`, `continues` being 0, 1, or `undefined` where either is right.
 */
export function expectedOf(kind, { path, method, version, expect, length, bodyLength }) {
  const route = ROUTES[path];
  const hasContent = length !== 0;
  if (expect.isUnknown)
    return { statuses: version === "1.1" ? [417] : [417, route.refused ?? route.status], continues: 0 };
  const isJudged = hasContent || expect.lines.length > 0 || !SAFE.has(method);
  const isOwed = hasContent && version === "1.1" && expect.isContinue;
  if (isJudged && route.refused) return { statuses: [route.refused], continues: 0 };
  if (path === "/limit" && hasContent && bodyLength > LIMIT) {
    return { statuses: [413], continues: length === undefined && isOwed ? 1 : 0 };
  }
  if (kind === "immediately") return { statuses: [route.status], continues: isOwed ? 1 : 0 };
  return { statuses: [route.status], continues: isOwed && route.reads ? 1 : 0 };
}
