/** A program. */
export interface Block {
  /** Its number in the README, from 1, and the heading above it. */
  readonly name: string;
  readonly source: string;
}

export function blocksOf(markdown: string, preamble?: string): Block[];
export const PAGES: Readonly<Record<string, string>>;
