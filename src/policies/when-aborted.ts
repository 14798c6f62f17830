import type { Upload } from "./policy.js";

/** Is told that an upload need not be decided any more. */
export interface AbortListener {
  /** @returns perhaps a refusal. It counts if the time of the policies is up, in place of a fault. */
  handleEvent(): unknown;
}

/** What an upload of a guard has beside that which is public. */
export interface AbortSource {
  onAbort(listener: AbortListener): void;
}

/**
 * Calls `listener` when the signal of an upload aborts before the verdict, or at once if it has aborted already.
 *
 * The upload of a guard has a method of its own for that. An `AbortSignal` with a listener would add a tenth to the memory
 * of a pending handshake (bench/waiting-room.mjs). Other uploads, such as those of a user's tests, have the signal alone.
 */
export function whenAborted(upload: Upload, listener: AbortListener): void {
  const { onAbort } = upload as Partial<AbortSource>;
  if (onAbort) onAbort.call(upload, listener);
  else if (upload.signal.aborted) listener.handleEvent();
  else upload.signal.addEventListener("abort", listener, { once: true });
}
