/** What a test's client sends, and when. */
export interface Plan {
  readonly method: string;
  readonly path: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The value of `Expect`; `undefined` for none. */
  readonly expect: string | undefined;
  readonly content: Content;
  readonly deadlineMs: number;
}

/** The content of a request. */
export interface Content {
  /** A length in bytes, `"chunked"` for an unknown length, `"none"` for no content. */
  readonly announced: number | "chunked" | "none";
  readonly pieces: readonly Buffer[];
  readonly when: "never" | "after the 100" | "at once";
  /** How many bytes are sent at most. */
  readonly stopAfter: number;
  /** How the client leaves when it has sent them. */
  readonly leave: "end" | "reset" | undefined;
}

export const NO_CONTENT: Content = {
  announced: "none",
  pieces: [],
  when: "never",
  stopAfter: Number.POSITIVE_INFINITY,
  leave: undefined,
};

/** Returns the fields of a request, with those that frame its content. */
export function fieldsOf({ fields, expect, content }: Plan): [name: string, value: string][] {
  const all: [string, string][] = fields.map(([name, value]) => [name, value]);
  const add = (name: string, value: string) => {
    if (!fields.some(([own]) => own.toLowerCase() === name.toLowerCase())) all.push([name, value]);
  };
  if (expect !== undefined) add("Expect", expect);
  if (content.announced === "chunked") add("Transfer-Encoding", "chunked");
  else if (content.announced !== "none") add("Content-Length", String(content.announced));
  return all;
}
