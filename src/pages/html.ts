import { type AllowedParts, contentSecurityPolicy } from "./content-security-policy.js";

/** The parts of an HTML document. */
interface DocumentParts extends AllowedParts {
  readonly title: string;
  /** Markup. Every value in it must have been through {@link escapeHtml}. */
  readonly body: string;
}

const ICON =
  "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><rect width='16' height='16' rx='4' fill='#c2410c'/><path d='M4 8h8' stroke='white' stroke-width='2.4'/></svg>";

/**
 * Returns an HTML document that is complete in itself.
 *
 * Its {@link contentSecurityPolicy} stops it from loading or running anything else.
 */
export function htmlDocument(parts: DocumentParts): string {
  const { title, style, script, body } = parts;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy(parts)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(ICON)}">
<style>${style}</style>
</head>
<body>
${body}${script === undefined ? "" : `\n<script>${script}</script>`}
</body>
</html>
`;
}

/** Escapes text for use in an element or in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
