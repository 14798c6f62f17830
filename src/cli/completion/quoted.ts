/** Returns a text as one word of a shell: in single quotes. bash, zsh and fish read it alike. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
