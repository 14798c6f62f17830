/** One option of a command: what `parseArgs` takes, and what its help, its man page and the completions say. */
export interface Option {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for the value, such as `FILE`. */
  readonly value?: string;
  /** A phrase without a full stop. */
  readonly help: string;
  /** What shells complete as its value: files, or these words. */
  readonly completes?: "files" | readonly string[];
}

/** The options of a command by their long names. */
export type Options = Readonly<Record<string, Option>>;

/** A command, as its help, the man page and the completions describe it. */
export interface Description {
  readonly name: string;
  /** What follows the options, such as `FILE URL`. */
  readonly operands: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What it does, in whole sentences. */
  readonly purpose: string;
  readonly options: Options;
  /** More paragraphs, behind the options. */
  readonly notes?: readonly string[];
  readonly exitCodes: readonly (readonly [code: number, meaning: string])[];
  /** What shells complete as operands. */
  readonly completes: "files" | readonly string[];
}

/** The options of every command. */
export const COMMON_OPTIONS = {
  color: { type: "boolean", help: "colours, even if the output is no terminal" },
  "no-color": { type: "boolean", help: "no colours; without either, NO_COLOR and FORCE_COLOR decide" },
  version: { type: "boolean", short: "V", help: "prints the version" },
  help: { type: "boolean", short: "h", help: "prints this" },
} as const;
