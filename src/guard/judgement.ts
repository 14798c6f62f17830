import type { Handshake } from "../handshake/handshake.js";
import { type Expectation, isContinue, TOO_MANY_EXPECTATIONS, UNKNOWN_EXPECTATION } from "../http/expect-header.js";
import type { Refusal } from "../http/refusal.js";
import type { PreparedLogger } from "../observe/logger.js";
import { reportFault, reportRefusal } from "../observe/record.js";
import type { Policy } from "../policies/policy.js";
import { refuse } from "../policies/refuse.js";
import { type Outcome, PolicyRun, type RunOwner, refusalOf, reportLateFault, type Trial } from "../policies/run.js";
import type { AbortListener } from "../policies/when-aborted.js";
import { closeAfterEnd } from "../response/closing.js";
import { writePlainRefusal, writeRefusal } from "../response/refusal.js";
import { asError, type ExpectationErrorCode } from "../support/errors.js";
import { endOf, type Judge, JudgedUpload } from "./judged-upload.js";
import { answerByCallback } from "./on-refusal.js";
import type { GuardSettings, Next } from "./options.js";

/** A policy of this guard, or the one that it has for an expectation of the request. */
interface MemberTrial extends Trial {
  readonly member?: Expectation;
}

/** One guard's decision about one request. Ends once: by its policies, by time, or because the client left. */
export class Judgement implements Judge, RunOwner<MemberTrial> {
  readonly #run: PolicyRun<MemberTrial>;
  #hasSignal = false;

  constructor(
    readonly handshake: Handshake,
    readonly settings: GuardSettings,
    readonly next: Next,
  ) {
    this.#run = new PolicyRun<MemberTrial>(this);
  }

  get timeoutMs(): number {
    return this.settings.policyTimeoutMs;
  }

  get logger(): PreparedLogger {
    return this.settings.logger;
  }

  get signal(): AbortSignal {
    if (!this.#hasSignal) {
      this.#hasSignal = true;
      const { handshake } = this;
      // The client may leave in mid-upload, long after the verdict.
      handshake.onClose(() => {
        if (endOf(handshake).status === undefined) this.#run.abort();
      });
    }
    return this.#run.signal;
  }

  onAbort(listener: AbortListener): void {
    this.#run.onAbort(listener);
  }

  begin(): void {
    const { handshake } = this;
    const reason = this.#whyUnknown();
    if (reason !== undefined) {
      this.#run.abort();
      this.#refuse(refuse(417, { reason }), "unknown-expectation", true);
      return;
    }
    handshake.beginVerdict();
    if (!this.#run.start(this.#trials())) return;
    handshake.onClose(() => {
      if (!this.#run.isOver) this.#abandon();
    });
  }

  refuse(refusal: Refusal, policy: string, code: ExpectationErrorCode): void {
    const { handshake } = this;
    // A response that has been sent leaves its content to whoever reads on.
    const { isAnswered } = handshake;
    if (handshake.refusal || (handshake.isGone && !isAnswered)) return;
    const wasJudging = !this.#run.isOver;
    this.#run.abort();
    if (isAnswered) this.#cutOffAnswered(refusal, policy);
    else this.#refuse(refusal, policy, wasJudging);
    if (wasJudging) handshake.endVerdict();
    else {
      const message = `the upload was cut off by ${policy} after ${handshake.received} bytes`;
      handshake.content.fail(code, message);
    }
  }

  // The application has responded already and reads on: its response stands, and its connection ends behind it.
  #cutOffAnswered({ reason }: Refusal, policy: string): void {
    const { handshake } = this;
    const by = { status: handshake.res.statusCode, policy, reason };
    handshake.refuse(by);
    reportRefusal(this.logger, handshake, by);
    closeAfterEnd(handshake);
  }

  #whyUnknown(): string | undefined {
    if (this.handshake.hasTooManyExpectations) return TOO_MANY_EXPECTATIONS;
    return this.#unknownMember() && UNKNOWN_EXPECTATION;
  }

  // A name that the server leaves to guards, or that one has accepted already, is for another guard to refuse.
  #unknownMember(): Expectation | undefined {
    const { handshake, settings } = this;
    for (const member of handshake.undecided) {
      if (this.#extension(member)) continue;
      if (settings.ignoresUnknown) handshake.acceptExpectation(member);
      else if (!handshake.context.names.has(member.name)) return member;
    }
    return undefined;
  }

  #extension(member: Expectation): Policy<never> | undefined {
    return member.wellFormed ? this.settings.extensions.get(member.name) : undefined;
  }

  #trials(): readonly MemberTrial[] {
    const { policies, extensions } = this.settings;
    if (extensions.size === 0 || this.handshake.expectations.length === 0) return policies;
    const extended = this.handshake.undecided.flatMap((member): MemberTrial[] => {
      const policy = this.#extension(member);
      return policy ? [{ name: `expectation ${member.name}`, policy, member }] : [];
    });
    return [...extended, ...policies];
  }

  ask({ name, policy, member }: MemberTrial): unknown {
    const { handshake } = this;
    const expectation = member ?? (handshake.expectsContinue ? handshake.expectations.find(isContinue) : undefined);
    return policy(handshake.req as never, new JudgedUpload(this, expectation, name));
  }

  #abandon(): void {
    this.#run.abort();
    this.handshake.endVerdict();
  }

  onLateFault(policy: string, error: Error): void {
    reportLateFault(this.logger, policy, error);
  }

  onEnd(outcome: Outcome): void {
    const { handshake } = this;
    // A policy of an earlier guard may have refused meanwhile.
    if (handshake.isGone || handshake.refusal) {
      this.#abandon();
      return;
    }
    switch (outcome.kind) {
      case "accept":
        this.#accept();
        return;
      case "refuse":
        this.#refuse(outcome.verdict, outcome.policy, true);
        break;
      case "fault":
        this.#fail(outcome.policy, outcome.status, outcome.error);
        break;
    }
    handshake.endVerdict();
  }

  #accept(): void {
    const { handshake, settings } = this;
    for (const member of handshake.undecided) if (this.#extension(member)) handshake.acceptExpectation(member);
    handshake.accept();
    handshake.endVerdict();
    if (settings.isImmediate) handshake.sendContinue();
    this.next();
  }

  // `isOurs`: only this guard has the request in hand, so that `onRefusal` and its `next` make sense.
  #refuse(verdict: false | Refusal, policy: string, isOurs: boolean): void {
    const { handshake, settings } = this;
    const refusal = refusalOf(verdict, handshake.hasExpectation, settings.expectationStatus);
    const by = { status: refusal.status, policy, reason: refusal.reason };
    handshake.refuse(by);
    reportRefusal(settings.logger, handshake, by);
    if (settings.onRefusal && isOurs) this.#answerByCallback(refusal);
    else this.#write(refusal);
  }

  #write(refusal: Refusal): void {
    try {
      writeRefusal(this.handshake, refusal, this.settings.refusalBody);
    } catch (error) {
      this.#fail("refusalBody", 500, asError(error));
    }
  }

  #fail(policy: string, status: 500 | 503, error: Error): void {
    const { handshake } = this;
    // If a response is on its way already, the record has its status.
    const by = { status: handshake.res.headersSent ? handshake.res.statusCode : status, policy, reason: undefined };
    handshake.refuse(by);
    reportFault(this.settings.logger, handshake, by, error);
    if (!handshake.res.headersSent) writePlainRefusal(handshake, status);
  }

  #answerByCallback(refusal: Refusal): void {
    answerByCallback(this.handshake, this.settings, refusal, this.next, (error) => this.#fail("onRefusal", 500, error));
  }
}
