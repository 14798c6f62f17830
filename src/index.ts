export { type AdmissionHandler, type AdmissionOptions, admission } from "./admission.js";
export type { AdmissionRequest } from "./admission-request.js";
export { type AttachableServer, type AttachOptions, attach, detach } from "./attach.js";
export { type Digests, digestsOf } from "./digest.js";
export { ExpectationError, type ExpectationErrorCode } from "./errors.js";
export type { Expectation } from "./expect-header.js";
export { type ExpectationOptions, expectations, type Guard, type Next } from "./expectations.js";
export { type HandshakeInfo, type HandshakeState, handshakeOf, type RefusedWith } from "./handshake.js";
export type { LingerEndMessage } from "./linger.js";
export { fromWinston, type Logger, silent, type WinstonLike } from "./logger.js";
export type { HttpRequest, HttpResponse } from "./message.js";
export { type Authorization, type AuthorizeOptions, authorize } from "./policies/authorize.js";
export { type ConcurrencyOptions, concurrency } from "./policies/concurrency.js";
export { knownLength } from "./policies/known-length.js";
export { maxSize } from "./policies/max-size.js";
export { mediaTypes } from "./policies/media-types.js";
export { type PreconditionLookup, preconditions, type StoredResource } from "./policies/preconditions.js";
export { type Limiter, type LimiterResult, type QuotaOptions, quota } from "./policies/quota.js";
export {
  allOf,
  anyOf,
  type Policy,
  type Refusal,
  type RefusalOptions,
  refuse,
  type Upload,
  type UploadEnd,
  type Verdict,
  when,
} from "./policy.js";
export type {
  AcceptMessage,
  AcceptRecord,
  ContentMessage,
  FaultMessage,
  RefusalRecord,
  RefuseMessage,
} from "./record.js";
export type { RefusalContent } from "./refusal.js";
export { holdExpectation, type RelayOptions, relayExpectation } from "./relay.js";
export { type OmissionRecord, type SampledOptions, sampled } from "./sampled.js";
