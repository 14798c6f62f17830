/** How long curl, Go, PHP and Ruby wait for a 100 before they send. */
export const CURL_WAIT_MS = 1_000;

/** How long the probe waits for something that should not come, such as a refusal after the 100. */
export const WATCH_MS = 150;

/** How long the probe waits for a refusal after the 100 in the exchange that is about it. */
export const LONG_WATCH_MS = 300;

/** How long the probe waits for the end after a refusal with `Connection: close`, if no content was sent. */
export const CLOSING_WATCH_MS = 50;

/** How long the probe waits for the answer to the second request after a refused upload. */
export const SECOND_MS = 500;

/** How long the probe waits for a verdict if the endpoint gave none before. */
export const GIVEN_UP_MS = 300;

/** How long the probe waits for the content of a final response. */
export const PAGE_MS = 1_000;
