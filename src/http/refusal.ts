/** A refusal as a value: the final status in place of `100 Continue`. Made by {@link refuse}. */
export interface Refusal {
  readonly status: number;
  readonly reason: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Uint8Array | undefined;
}
