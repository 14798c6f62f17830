import { createHash } from "node:crypto";

/** The parts of a document that its policy allows. */
export interface AllowedParts {
  /** The whole style sheet. Style attributes have no effect. */
  readonly style: string;
  /** The one script, if any. */
  readonly script?: string;
  /** Whether the script may fetch from its own origin. Default: no network access. */
  readonly live?: boolean;
}

/**
 * Returns the `Content-Security-Policy` of a document.
 *
 * It allows the document's own style and script, by their digests, and nothing else.
 */
export function contentSecurityPolicy({ style, script, live }: AllowedParts): string {
  return [
    "default-src 'none'",
    ...(script === undefined ? [] : [`script-src '${digestOf(script)}'`]),
    `style-src '${digestOf(style)}'`,
    "img-src data:",
    ...(live ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

function digestOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
