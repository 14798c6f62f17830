/** How long curl, Go, PHP and Ruby wait for a 100 before they send. */
export const CURL_WAIT_MS = 1_000;

/** How long something is waited for that should not come, such as a refusal behind the 100. */
export const WATCH_MS = 150;

/** The same where a refusal behind the 100 is looked for thoroughly. */
export const LONG_WATCH_MS = 300;

/** The same behind a refusal that says close, while all content is withheld. */
export const CLOSING_WATCH_MS = 50;

/** How long a peer has for its answer to the harmless second request of a refused upload. */
export const SECOND_MS = 500;

/** How long a verdict is waited for once the same endpoint has shown that it gives none. */
export const GIVEN_UP_MS = 300;

/** How long a final response's content is waited for where only its head matters. */
export const PAGE_MS = 1_000;
