/** The codes of an {@link UploadError}. docs/client.md describes each. */
export type UploadErrorCode =
  | "ERR_UPLOAD_ABORTED"
  | "ERR_UPLOAD_BODY"
  | "ERR_UPLOAD_CONNECT"
  | "ERR_UPLOAD_CONNECTION"
  | "ERR_UPLOAD_RESPONSE"
  | "ERR_UPLOAD_TIMEOUT";

/** An upload that ended without a final response. `cause` has the error of the system, if there is one. */
export class UploadError extends Error {
  override readonly name = "UploadError";
  /** Bytes of the body that the last request had handed to the system. With 0, the upload may be repeated safely. */
  sentBytes = 0;
  /** The number of requests that were sent. */
  attempts = 0;

  constructor(
    /** Identifies the kind of error. The message may change between releases, the code does not. */
    readonly code: UploadErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
