/** What the content of an upload in mid-body is cut off at, in bytes. */
export const LIMIT = 2 ** 20;
/**
 * User and password of the route that asks for them; the user is the access key to clients of S3. Each upload has its
 * own: a client that remembers those of the last one would not be asked.
 */
export const credentialsOf = (upload) => `user-${upload}:open-sesame-${upload}`;
/** How long a client may wait for its 100 before it is said to wait for ever. */
export const PATIENCE_MS = 8_000;
/** An exchange that is not over by then hangs. */
export const DEADLINE_MS = 20_000;

/**
 * What each client goes through in each run, in this order and on one session.
 *
 * `path`: the route; `statuses`: what the server has to answer and the last of them is what the client has to see;
 * `withoutExpect`: the same for a request without `Expect`; `repeated`: for a client that repeats a 417 without `Expect`;
 * `isChunked`: the content goes without a length, where the client can do that; `isStored`: it has to arrive byte for
 * byte.
 */
export const CASES = [
  { name: "accepted", path: "accepted", statuses: [201], isStored: true },
  { name: "refused at once", path: "at-once", statuses: [403] },
  { name: "after 300 ms", path: "after-300ms", statuses: [403] },
  { name: "after 2.5 s", path: "after-2500ms", statuses: [403] },
  { name: "in mid-body", path: "mid-body", statuses: [413], isChunked: true },
  { name: "401, then stored", path: "signed-in", statuses: [401, 201], isStored: true, hasCredentials: true },
  { name: "417", path: "unexpected", statuses: [417], withoutExpect: [403], repeated: [417, 403] },
];
