import type { Handshake } from "../handshake/handshake.js";
import { type Expectation, isContinue } from "../http/expect-header.js";
import type { Refusal } from "../http/refusal.js";
import type { PreparedLogger } from "../observe/logger.js";
import { reportFault, reportRefusal } from "../observe/record.js";
import type { Policy, Upload } from "../policies/policy.js";
import { refuse } from "../policies/refuse.js";
import { type Outcome, PolicyRun, refusalOf, type Trial } from "../policies/run.js";
import { writePlainRefusal, writeRefusal } from "../response/refusal.js";
import { asError } from "../support/errors.js";
import { type Judge, JudgedUpload } from "./judged-upload.js";
import { answerByCallback } from "./on-refusal.js";
import type { GuardSettings, Next } from "./options.js";

/** A policy of this guard, or the one that it has for an expectation of the request. */
interface MemberTrial extends Trial {
  readonly member?: Expectation;
}

/** One guard's decision about one request. Ends once: by its policies, by time, or because the client left. */
export class Judgement implements Judge {
  readonly #run: PolicyRun<MemberTrial>;
  #upload: Upload | undefined;

  constructor(
    readonly handshake: Handshake,
    readonly settings: GuardSettings,
    readonly next: Next,
  ) {
    this.#run = new PolicyRun((trial) => this.#ask(trial), {
      timeoutMs: settings.policyTimeoutMs,
      onEnd: (outcome) => this.#end(outcome),
    });
  }

  get logger(): PreparedLogger {
    return this.settings.logger;
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }

  get current(): string {
    return this.#run.current;
  }

  begin(): void {
    const { handshake } = this;
    if (this.#unknownMember()) {
      const reason = "an expectation that this server does not know";
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

  /** The content has passed a limit that a policy set. */
  exceed(refusal: Refusal, policy: string): void {
    const { handshake } = this;
    if (handshake.refusal || handshake.res.writableEnded || handshake.isGone) return;
    const wasJudging = !this.#run.isOver;
    this.#run.abort();
    this.#refuse(refusal, policy, wasJudging);
    if (wasJudging) handshake.endVerdict();
    else {
      const message = `the upload was cut off by ${policy} after ${handshake.received} bytes`;
      handshake.content.fail("ERR_EXPECT_LIMIT", message);
    }
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

  #ask({ policy, member }: MemberTrial): unknown {
    const { handshake } = this;
    if (member) return policy(handshake.req as never, new JudgedUpload(this, member));
    this.#upload ??= new JudgedUpload(
      this,
      handshake.expectsContinue ? handshake.expectations.find(isContinue) : undefined,
    );
    return policy(handshake.req as never, this.#upload);
  }

  #abandon(): void {
    this.#run.abort();
    this.handshake.endVerdict();
  }

  #end(outcome: Outcome): void {
    const { handshake } = this;
    if (handshake.isGone) {
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
