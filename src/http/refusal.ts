/** The final response to send in place of `100 Continue`. Made by {@link refuse}. */
export interface Refusal {
  /** The status code: 200 to 599. */
  readonly status: number;
  /** Why the request is refused, for the log and for the problem details in the response. */
  readonly reason: string | undefined;
  /** Header fields to add to the response. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** The body of the response, in place of that of `refusalBody`. */
  readonly body: string | Uint8Array | undefined;
  /** Further members of the problem details, such as `type` (RFC 9457 §3). */
  readonly problem?: Readonly<Record<string, unknown>> | undefined;
}
