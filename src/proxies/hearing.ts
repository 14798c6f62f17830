import type { Handshake } from "../handshake/handshake.js";
import { isContinue, MAX_EXPECTATIONS, TOO_MANY_EXPECTATIONS, UNKNOWN_EXPECTATION } from "../http/expect-header.js";
import { mediaTypeOf } from "../http/message.js";
import type { Refusal } from "../http/refusal.js";
import type { PreparedLogger } from "../observe/logger.js";
import { publishAccepted, type Recorded, reportFault, reportRefusal } from "../observe/record.js";
import type { Upload, UploadEnd } from "../policies/policy.js";
import { refuse, requireLimit, requireRate, requireRefusal } from "../policies/refuse.js";
import {
  callOnClose,
  type Outcome,
  PolicyRun,
  type RunOwner,
  refusalOf,
  reportLateFault,
  requireCallback,
  type Trial,
} from "../policies/run.js";
import { asError } from "../support/errors.js";
import { answerAccepted, answerRefused } from "./admission-answer.js";
import type { OriginalRequest } from "./admission-request.js";

/** What a hearing needs of the options of `admission`. */
export interface HearingSettings {
  readonly policies: readonly Trial[];
  readonly logger: PreparedLogger;
  readonly policyTimeoutMs: number;
  readonly isVerbatim: boolean;
  readonly ignoresUnknown: boolean;
}

const NOT_STORED: UploadEnd = Object.freeze({ status: undefined, isRefused: true, isWhole: false });

/** The decision about one upload that a proxy asks about. Ends once: by its policies, by time, or because the proxy left. */
export class Hearing implements RunOwner<Trial> {
  readonly #run: PolicyRun<Trial>;
  readonly #closeCallbacks: ((end: UploadEnd) => void)[] = [];
  #isAccepted = false;

  constructor(
    readonly asking: Handshake,
    readonly original: OriginalRequest,
    readonly settings: HearingSettings,
  ) {
    this.#run = new PolicyRun<Trial>(this);
  }

  get timeoutMs(): number {
    return this.settings.policyTimeoutMs;
  }

  begin(): void {
    const { settings } = this;
    const reason = this.#whyUnknown();
    if (reason !== undefined) {
      this.#refuse({ kind: "refuse", policy: "unknown-expectation", verdict: refuse(417, { reason }) });
      return;
    }
    if (!this.#run.start(settings.policies)) return;
    this.asking.onClose(() => this.#abandon());
  }

  #whyUnknown(): string | undefined {
    const { expectations } = this.original;
    if (expectations.length > MAX_EXPECTATIONS) return TOO_MANY_EXPECTATIONS;
    return this.settings.ignoresUnknown || expectations.every(isContinue) ? undefined : UNKNOWN_EXPECTATION;
  }

  #described(policy: string): Upload {
    const { original, settings } = this;
    const refuseNow = (verdict: Refusal) => this.#refuseNow({ kind: "refuse", policy, verdict });
    const run = this.#run;
    return {
      expectation: original.length === 0 ? undefined : original.expectations.find(isContinue),
      length: original.length,
      mediaType: mediaTypeOf(original.req),
      get signal() {
        return run.signal;
      },
      received: 0,
      isPreflight: true,
      refuse: (verdict) => {
        requireRefusal("upload.refuse(refusal)", verdict);
        refuseNow(verdict);
      },
      limitBytes: (bytes, verdict) => {
        requireLimit(bytes, verdict);
        if (original.length !== undefined && original.length > bytes) refuseNow(verdict);
      },
      // The content passes the origin.
      requireRate,
      onClose: (callback) => {
        requireCallback(callback);
        // A policy that returns after its time gets its callback at once.
        if (run.isOver && !this.#isAccepted) callOnClose(callback, NOT_STORED, settings.logger.error);
        else this.#closeCallbacks.push(callback);
      },
      report: (message, error) => {
        settings.logger.error({ event: "expectation.error", err: asError(error) }, message);
      },
    };
  }

  ask({ name, policy }: Trial): unknown {
    return policy(this.original.req as never, this.#described(name));
  }

  onLateFault(policy: string, error: Error): void {
    reportLateFault(this.settings.logger, policy, error);
  }

  onEnd(outcome: Outcome): void {
    const { asking } = this;
    if (asking.isGone) {
      this.#giveBack();
      return;
    }
    if (outcome.kind !== "accept") {
      this.#refuse(outcome);
      this.#giveBack();
      return;
    }
    this.#isAccepted = true;
    publishAccepted(this.#facts());
    // What policies reserved stays reserved: the upload itself takes another way.
    answerAccepted(asking);
  }

  // The verdict of a policy that does not wait for its answer. An upload that was accepted takes another way.
  #refuseNow(outcome: Exclude<Outcome, { kind: "accept" }>): void {
    if (this.#run.isOver) return;
    this.#run.abort();
    if (!this.asking.isGone) this.#refuse(outcome);
    this.#giveBack();
  }

  #refuse(outcome: Exclude<Outcome, { kind: "accept" }>): void {
    const { asking, settings } = this;
    const facts = this.#facts();
    if (outcome.kind === "fault") {
      const by = { status: outcome.status, policy: outcome.policy, reason: undefined };
      reportFault(settings.logger, facts, by, outcome.error);
      answerRefused(asking, refuse(outcome.status), by, settings);
      return;
    }
    const refusal = refusalOf(outcome.verdict, facts.expectations.length > 0);
    const by = { status: refusal.status, policy: outcome.policy, reason: refusal.reason };
    reportRefusal(settings.logger, facts, by);
    answerRefused(asking, refusal, by, settings, facts.expectations);
  }

  // The record describes the upload, not the question.
  #facts(): Recorded {
    const { req, length, expectations } = this.original;
    const { startedAt } = this.asking;
    return { req, length, expectations, received: 0, startedAt };
  }

  // The proxy left, or its question is answered.
  #abandon(): void {
    if (this.#run.isOver) return;
    this.#giveBack();
  }

  // No upload was accepted: policies release what they reserved.
  #giveBack(): void {
    this.#run.abort();
    for (const callback of this.#closeCallbacks.splice(0))
      callOnClose(callback, NOT_STORED, this.settings.logger.error);
  }
}
