// The routes that all three servers have. Each path ends in a number: `/read/00000001`.

/** The servers under comparison: an attached Express app, node:http alone, Go's net/http. */
export const SERVERS = ["ours", "node", "go"];

/** Bytes that `/limit` takes. */
export const LIMIT = 64;

/** The first part of each path. */
export const ROUTES = [
  "read",
  "read-late",
  "no-read",
  "no-read-late",
  "limit",
  "refuse",
  "refuse-late",
  "close",
  "nowhere",
];

/** How long the late routes wait, in milliseconds. */
export const LATE_MS = 3;

/** The number in a request's target; empty if there is none. */
export function numberOf(target) {
  return /[/-](\d{8})/.exec(target)?.[1] ?? "";
}

/** The route of a path; empty if it is of none. */
export function routeOf(path) {
  return /^\/([a-z-]+)[/-]\d{8}$/.exec(path)?.[1] ?? "";
}
