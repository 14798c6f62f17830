export type { UploadBody, UploadStream } from "./body.js";
export { UploadError, type UploadErrorCode } from "./error.js";
export type { UploadChallenge, UploadHeaders, UploadOptions, UploadResult } from "./options.js";
export { upload } from "./upload.js";
