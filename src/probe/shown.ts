/** The names of fields whose values are never shown. */
const SECRET_NAME = /^(?:proxy-)?authorization$|cookie|token|secret|password|signature|credential|api-?key|session/i;

/** Fields of a user's request whose values are shown. Every other field that the user passes may be a credential. */
const HARMLESS_NAME =
  /^(?:accept(?:-\w+)?|cache-control|content-(?:type|encoding|language|disposition|digest|md5|range)|date|digest|repr-digest|dnt|host|if-(?:match|none-match|modified-since|unmodified-since|range)|origin|pragma|prefer|priority|range|slug|tus-resumable|upload-(?!metadata)[\w-]+|user-agent|via|x-(?:http-method-override|requested-with|request-id|correlation-id))$/i;

const HIDDEN = "[hidden]";
/** Shorter texts are not hidden, because they would match everywhere. */
const SHORTEST_SECRET = 3;

const SAMPLE_LENGTH = 400;

/** Prepares text for display: it hides secrets and escapes control characters. */
export class Shown {
  readonly #secrets: readonly string[];
  readonly #secretNames: ReadonlySet<string>;

  /**
   * @param secrets - texts that must not appear in any output.
   * @param secretNames - fields whose values are hidden, in any letter case.
   */
  constructor(secrets: readonly string[], secretNames: readonly string[] = []) {
    this.#secretNames = new Set(secretNames.map((name) => name.toLowerCase()));
    this.#secrets = [...new Set(secrets)]
      .filter((secret) => secret.length >= SHORTEST_SECRET)
      .sort((a, b) => b.length - a.length);
  }

  /**
   * Returns a text of the peer for display.
   *
   * @param text - bytes, decoded as Latin-1.
   */
  text(text: string): string {
    return escaped(this.#secrets.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text));
  }

  /** Returns the beginning of the peer's content for display. */
  sample(content: string): string {
    return this.text(content).slice(0, SAMPLE_LENGTH);
  }

  /** Returns the lines of a header section for display. */
  lines(section: string): string[] {
    return section.split(/\r?\n/).map((line) => this.line(line));
  }

  /** Returns one line of a header section without the values of secret fields and queries. */
  line(line: string): string {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon));
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(name) && this.#isSecret(name)) return `${escaped(name)}: ${HIDDEN}`;
    return this.text(withoutQueryValues(line));
  }

  #isSecret(name: string): boolean {
    return isSecretField(name) || this.#secretNames.has(name.toLowerCase());
  }
}

/** Returns whether the value of a field that the user passes may be shown. */
export function isHarmlessField(name: string): boolean {
  return HARMLESS_NAME.test(name) && !isSecretField(name);
}

/** Returns whether a field's value is never shown. */
function isSecretField(name: string): boolean {
  return SECRET_NAME.test(name);
}

// Removes the values of every query in the text.
function withoutQueryValues(text: string): string {
  return text.replace(/\?[^\s"'<>]*/g, (query) => query.replace(/=[^&;#]*/g, `=${HIDDEN}`));
}

/** Returns a URL without userinfo and query values. */
export function shownUrl(url: URL): string {
  const bare = new URL(url);
  bare.username = "";
  bare.password = "";
  bare.hash = "";
  return withoutQueryValues(bare.href);
}

/** Replaces everything but printable ASCII by `\xNN` or `\uNNNN`, because terminals interpret control characters. */
export function escaped(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (c) => {
    const code = c.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}
