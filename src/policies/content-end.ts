import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import type { Upload, UploadEnd } from "./policy.js";

/**
 * Calls back when no more content of an upload can arrive. Called at the end of the upload.
 *
 * The application may have responded before all content arrived, and may still read the rest.
 *
 * @param bytes - the content that counts at most.
 */
export function whenContentEnds(
  req: HttpRequest,
  upload: Upload,
  { status, isRefused }: UploadEnd,
  bytes: number,
  onEnd: () => void,
): void {
  const mayGrow = status !== undefined && !isRefused && upload.received < bytes;
  if (mayGrow && !req.complete && !req.destroyed) (req as IncomingMessage).once("close", onEnd);
  else onEnd();
}
