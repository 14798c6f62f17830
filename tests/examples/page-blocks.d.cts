/** A program, or a part of one. */
export interface Block {
  /** Its number on the page, from 1, and the heading above it. */
  readonly name: string;
  readonly kind: "program" | "cjs" | "fragment";
  /** As it is on the page. */
  readonly code: string;
  /** What is compiled and run. */
  readonly source: string;
}

export function blocksOf(markdown: string, preamble?: string): Block[];
export const FILES: readonly string[];
export const PREAMBLES: Readonly<Record<string, string>>;
