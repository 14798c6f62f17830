import { constants, type ServerHttp2Stream } from "node:http2";
import { slowness, TOO_SLOW } from "../handshake/body-clock.js";
import type { Handshake } from "../handshake/handshake.js";
import type { Expectation } from "../http/expect-header.js";
import { mediaTypeOf } from "../http/message.js";
import type { Refusal } from "../http/refusal.js";
import type { PreparedLogger } from "../observe/logger.js";
import type { Upload, UploadEnd } from "../policies/policy.js";
import { refuse, requireLimit, requireRate, requireRefusal } from "../policies/refuse.js";
import { callOnClose, requireCallback } from "../policies/run.js";
import type { AbortListener, AbortSource } from "../policies/when-aborted.js";
import { asError, type ExpectationErrorCode } from "../support/errors.js";

/** The decision on whose behalf a policy is asked. */
export interface Judge extends AbortSource {
  readonly handshake: Handshake;
  readonly logger: PreparedLogger;
  readonly signal: AbortSignal;
  /**
   * Refuses from now on, whether or not the upload was accepted.
   *
   * @param policy - the policy that refuses.
   * @param code - of the error for the reader of an accepted upload.
   */
  refuse(refusal: Refusal, policy: string, code: ExpectationErrorCode): void;
}

/** What a policy is told. Its methods can be destructured: `(req, { limitBytes }) => …`. */
export class JudgedUpload implements Upload, AbortSource {
  readonly length: number | undefined;

  constructor(
    readonly judge: Judge,
    readonly expectation: Expectation | undefined,
    /** The policy that is told. */
    readonly policy: string,
  ) {
    this.length = judge.handshake.length;
  }

  get mediaType(): string | undefined {
    return mediaTypeOf(this.judge.handshake.req);
  }

  get signal(): AbortSignal {
    return this.judge.signal;
  }

  onAbort(listener: AbortListener): void {
    this.judge.onAbort(listener);
  }

  get received(): number {
    return this.judge.handshake.received;
  }

  // The content of this request comes here.
  get isPreflight(): boolean {
    return false;
  }

  get limitBytes(): Upload["limitBytes"] {
    const { judge, policy } = this;
    return (bytes, refusal) => {
      requireLimit(bytes, refusal);
      judge.handshake.content.limit(bytes, () => judge.refuse(refusal, policy, "ERR_EXPECT_LIMIT"));
    };
  }

  get refuse(): Upload["refuse"] {
    const { judge, policy } = this;
    return (refusal) => {
      requireRefusal("upload.refuse(refusal)", refusal);
      // A response that has been sent stands: the policy has been told how the upload ended.
      if (!judge.handshake.isAnswered) judge.refuse(refusal, policy, "ERR_EXPECT_REFUSED");
    };
  }

  get requireRate(): Upload["requireRate"] {
    const { judge } = this;
    return (bytesPerSecond, graceMs) => {
      requireRate(bytesPerSecond, graceMs);
      const rate = { bytesPerSecond, graceMs };
      const onSlow = () => {
        judge.refuse(refuse(408, { reason: slowness(rate) }), TOO_SLOW, "ERR_EXPECT_BODY_TIMEOUT");
      };
      judge.handshake.clock.require({ ...rate, onSlow });
    };
  }

  get onClose(): Upload["onClose"] {
    const { handshake, logger } = this.judge;
    return (callback) => {
      requireCallback(callback);
      handshake.onClose(() => callOnClose(callback, endOf(handshake), logger.error));
    };
  }

  get report(): Upload["report"] {
    const { logger } = this.judge;
    return (message, error) => logger.error({ event: "expectation.error", err: asError(error) }, message);
  }
}

// The compatibility API reports every closed response as finished. A stream that is closed on both sides at once never
// reports that it is.
function isStreamSent(stream: ServerHttp2Stream): boolean {
  return stream.writableEnded && !stream.aborted && stream.rstCode === constants.NGHTTP2_NO_ERROR;
}

/** How an upload ended, when its response is done or its client has left. */
export function endOf(handshake: Handshake): UploadEnd {
  const { refusal, hasArrived, finalStatus, stream } = handshake;
  const status = isResponseSent(handshake) ? finalStatus : undefined;
  // RFC 9113 §8.1.1: content of another length than the declared one is malformed, and its stream is reset for that.
  const isMalformed = stream?.rstCode === constants.NGHTTP2_PROTOCOL_ERROR;
  return { status, isRefused: refusal !== undefined, isWhole: hasArrived && !isMalformed };
}

function isResponseSent({ res, stream, isInjected, hasLostResponse }: Handshake): boolean {
  if (stream) return isStreamSent(stream);
  // An injected response has nobody who could leave, and its socket may be too simple for `writableFinished`.
  return isInjected ? res.writableEnded : res.writableFinished && !hasLostResponse;
}
