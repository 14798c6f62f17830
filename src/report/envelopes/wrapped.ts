/** What a program wrote, taken out of the line that a container runtime or a log service made of it. */
export interface Wrapped {
  /** The program's text, without its line end. */
  readonly text: string;
  /** When it was written, as the line says it. */
  readonly time?: string | number | undefined;
  /** The stream that a part belongs to. Absent if the text is whole. */
  readonly partOf?: string | undefined;
  /** Whether the text of this stream goes on in a later line. */
  readonly goesOn?: boolean;
}
