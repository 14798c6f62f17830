export { expectations } from "./guard/expectations.js";
export type { ExpectationOptions, Guard, Next } from "./guard/options.js";
export { type UnguardedRoute, unguarded } from "./guard/unguarded.js";
export type { HandshakeState } from "./handshake/handshake.js";
export { type HandshakeInfo, handshakeOf } from "./handshake/info.js";
export { type Digests, digestsOf } from "./http/digest.js";
export type { Expectation } from "./http/expect-header.js";
export type { HttpRequest, HttpResponse } from "./http/message.js";
export type { Refusal } from "./http/refusal.js";
export { fromWinston, type Logger, silent, type WinstonLike } from "./observe/logger.js";
export type {
  AcceptMessage,
  AcceptRecord,
  BeginMessage,
  ContentMessage,
  DispatchMessage,
  FaultMessage,
  RefusalRecord,
  RefusedWith,
  RefuseMessage,
} from "./observe/record.js";
export { type OmissionRecord, type SampledOptions, sampled } from "./observe/sampled.js";
export { type Authorization, type AuthorizeOptions, authorize } from "./policies/authorize.js";
export { allOf, anyOf, when } from "./policies/combine.js";
export { type ConcurrencyPolicy, concurrency } from "./policies/concurrency.js";
export type { ConcurrencyOptions } from "./policies/concurrency-options.js";
export { type DiskSpaceOptions, diskSpace } from "./policies/disk-space.js";
export { knownLength } from "./policies/known-length.js";
export type { Limiter, LimiterResult } from "./policies/limiter.js";
export { maxSize } from "./policies/max-size.js";
export { mediaTypes } from "./policies/media-types.js";
export { type MinRateOptions, minRate } from "./policies/min-rate.js";
export { overload } from "./policies/overload.js";
export type { OverloadOptions } from "./policies/overload-options.js";
export type { Policy, Upload, UploadEnd, Verdict } from "./policies/policy.js";
export { type PreconditionLookup, preconditions, type StoredResource } from "./policies/preconditions.js";
export { quota } from "./policies/quota.js";
export type { QuotaOptions } from "./policies/quota-options.js";
export { type RefusalOptions, refuse } from "./policies/refuse.js";
export type { Semaphore, SemaphoreFactory, SemaphoreOptions } from "./policies/semaphore.js";
export type { PreflightGuards, PreflightOptions } from "./preflight/options.js";
export { type PreflightHandler, preflight } from "./preflight/preflight.js";
export { type AdmissionHandler, type AdmissionOptions, admission } from "./proxies/admission.js";
export type { AdmissionRequest } from "./proxies/admission-request.js";
export { holdExpectation, type RelayOptions, relayExpectation } from "./proxies/relay.js";
export type { LingerEndMessage } from "./response/linger.js";
export type { RefusalContent } from "./response/refusal.js";
export { attach, detach } from "./server/attach.js";
export { type DrainOptions, type DrainResult, drain, isDraining } from "./server/drain.js";
export type { AttachableServer, AttachOptions } from "./server/options.js";
export { ExpectationError, type ExpectationErrorCode } from "./support/errors.js";
export type { PlaceChange, PlaceMessage, Places } from "./support/places.js";
