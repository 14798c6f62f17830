/** Fields whose values are never shown, by name. */
const SECRET_NAME = /^(?:proxy-)?authorization$|cookie|token|secret|password|signature|credential|api-?key|session/i;

const HIDDEN = "[hidden]";
/** Shorter text is no secret that could be hidden without hiding everything. */
const SHORTEST_SECRET = 3;

const SAMPLE_LENGTH = 400;

/** Makes text fit to be shown: without secrets, without control characters. */
export class Shown {
  readonly #secrets: readonly string[];

  /** @param secrets - text that must not appear, wherever it comes from. */
  constructor(secrets: readonly string[]) {
    this.#secrets = [...new Set(secrets)]
      .filter((secret) => secret.length >= SHORTEST_SECRET)
      .sort((a, b) => b.length - a.length);
  }

  /** @param text - bytes of the peer, read as Latin-1. */
  text(text: string): string {
    return escaped(this.#secrets.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text));
  }

  /** The beginning of the peer's content, for display. */
  sample(content: string): string {
    return this.text(content).slice(0, SAMPLE_LENGTH);
  }

  /** The lines of a header section. */
  lines(section: string): string[] {
    return section.split(/\r?\n/).map((line) => this.line(line));
  }

  /** One line of a header section: values of secret fields and of the query are left out. */
  line(line: string): string {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon));
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(name) && isSecretField(name)) return `${escaped(name)}: ${HIDDEN}`;
    return this.text(withoutQueryValues(line));
  }
}

/** Whether a field's value is never shown. */
export function isSecretField(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** Leaves the values out of every query in the text. */
function withoutQueryValues(text: string): string {
  return text.replace(/\?[^\s"'<>]*/g, (query) => query.replace(/=[^&;#]*/g, `=${HIDDEN}`));
}

/** A URL without userinfo and query values. */
export function shownUrl(url: URL): string {
  const bare = new URL(url);
  bare.username = "";
  bare.password = "";
  bare.hash = "";
  return withoutQueryValues(bare.href);
}

/** Writes what is not printable ASCII as `\xNN` or `\uNNNN`: a terminal obeys control characters. */
export function escaped(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (c) => {
    const code = c.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}
