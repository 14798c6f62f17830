import type { IncomingMessage } from "node:http";
import { type Expectation, isContinue } from "../http/expect-header.js";
import { mediaTypeOf } from "../http/message.js";
import type { Refusal } from "../http/refusal.js";
import type { PreparedLogger } from "../observe/logger.js";
import type { Upload, UploadEnd } from "../policies/policy.js";
import { requireLimit, requireRate, requireRefusal } from "../policies/refuse.js";
import { requireCallback } from "../policies/run.js";
import { asError } from "../support/errors.js";

/** An upload as the question about it describes it. */
export interface Described {
  /** The request as policies see it: the upload's, not the question. */
  readonly req: IncomingMessage;
  /** Announced bytes; 0 for none; `undefined` for an unknown length. */
  readonly length: number | undefined;
  readonly expectations: readonly Expectation[];
  /**
   * Whether the client itself asks, and will ask again by its upload. Otherwise the upload goes on without these
   * policies, as behind a proxy, and what they reserved for it stays reserved.
   */
  readonly isPreflight: boolean;
}

/** Where the methods of a {@link DescribedUpload} lead. */
interface Listener {
  readonly settings: { readonly logger: PreparedLogger };
  readonly signal: AbortSignal;
  /** A policy limits what may arrive. Nothing arrives here: the declared length decides. */
  limitBytes(bytes: number, refusal: Refusal, policy: string): void;
  /** A policy refuses without waiting for its verdict. */
  refuse(refusal: Refusal, policy: string): void;
  onClose(callback: (end: UploadEnd) => void): void;
}

/** What a policy is told about an upload that does not come with the question. Its methods can be destructured. */
export class DescribedUpload implements Upload {
  readonly expectation: Expectation | undefined;
  readonly length: number | undefined;
  readonly isPreflight: boolean;
  readonly received = 0;

  constructor(
    readonly described: Described,
    /** The policy that is told. */
    readonly policy: string,
    readonly listener: Listener,
  ) {
    const { length, expectations, isPreflight } = described;
    this.expectation = length === 0 ? undefined : expectations.find(isContinue);
    this.length = length;
    this.isPreflight = isPreflight;
  }

  get mediaType(): string | undefined {
    return mediaTypeOf(this.described.req);
  }

  get signal(): AbortSignal {
    return this.listener.signal;
  }

  get limitBytes(): Upload["limitBytes"] {
    return (bytes, refusal) => {
      requireLimit(bytes, refusal);
      this.listener.limitBytes(bytes, refusal, this.policy);
    };
  }

  get refuse(): Upload["refuse"] {
    return (refusal) => {
      requireRefusal("upload.refuse(refusal)", refusal);
      this.listener.refuse(refusal, this.policy);
    };
  }

  // The content comes by another way, or later.
  get requireRate(): Upload["requireRate"] {
    return requireRate;
  }

  get onClose(): Upload["onClose"] {
    return (callback) => {
      requireCallback(callback);
      this.listener.onClose(callback);
    };
  }

  get report(): Upload["report"] {
    const { logger } = this.listener.settings;
    return (message, error) => logger.error({ event: "expectation.error", err: asError(error) }, message);
  }
}
