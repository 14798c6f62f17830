/** The space of a path that `diskSpace` policies of this process look at. */
export interface Space {
  readonly path: string;
  /** Bytes that are free by the last answer of the file system; `undefined` if it did not answer. */
  readonly free: number | undefined;
  /** Bytes that accepted uploads have still to bring. */
  readonly expected: number;
  /** Asks the file system, unless its last answer is young enough. Never rejects. */
  update(): Promise<void>;
}

const SPACES = Symbol.for("express-expectations:spaces:1");

/** Returns the spaces of this process, by path. The ESM and the CommonJS copy of this package share them. */
export function spaces(): Map<string, Space> {
  const holder = globalThis as { [SPACES]?: Map<string, Space> };
  holder[SPACES] ??= new Map();
  return holder[SPACES];
}
