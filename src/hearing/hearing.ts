import type { Handshake } from "../handshake/handshake.js";
import { isContinue } from "../http/expect-header.js";
import type { Refusal } from "../http/refusal.js";
import type { PreparedLogger } from "../observe/logger.js";
import { type Recorded, type RefusedWith, reportFault, reportRefusal } from "../observe/record.js";
import type { UploadEnd } from "../policies/policy.js";
import { refuse } from "../policies/refuse.js";
import {
  callOnClose,
  type Outcome,
  PolicyRun,
  type RunOwner,
  refusalOf,
  reportLateFault,
  type Trial,
} from "../policies/run.js";
import { type Described, DescribedUpload } from "./described-upload.js";

/** What a hearing needs of the options of a guard, or of `admission`. */
export interface HearingSettings {
  readonly policies: readonly Trial[];
  readonly logger: PreparedLogger;
  readonly policyTimeoutMs: number;
}

/** An outcome that does not accept. */
export type Refused = Exclude<Outcome, { kind: "accept" }>;

/** Is told once how a hearing ended. Is not told if the client that asked has left. */
export interface HearingOwner {
  onAccepted(): void;
  onRefused(outcome: Refused): void;
}

const NOT_STORED: UploadEnd = Object.freeze({ status: undefined, isRefused: true, isWhole: false });

/**
 * The decision about one upload that somebody asks about, and that does not come with the question. Ends once: by its
 * policies, by time, or because the client that asked has left.
 */
export class Hearing implements RunOwner<Trial> {
  readonly #run: PolicyRun<Trial>;
  readonly #closeCallbacks: ((end: UploadEnd) => void)[] = [];
  #keepsReservations = false;
  #maxSize: number | undefined;

  constructor(
    /** The handshake of the question. */
    readonly asking: Handshake,
    readonly described: Described,
    readonly settings: HearingSettings,
    readonly owner: HearingOwner,
  ) {
    this.#run = new PolicyRun<Trial>(this);
  }

  get timeoutMs(): number {
    return this.settings.policyTimeoutMs;
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }

  /** The lowest number of bytes above which a policy refuses with 413; `undefined` if none has told one. */
  get maxSize(): number | undefined {
    return this.#maxSize;
  }

  begin(): void {
    if (!this.#run.start(this.settings.policies)) return;
    this.asking.onClose(() => {
      if (!this.#run.isOver) this.#giveBack();
    });
  }

  ask({ name, policy }: Trial): unknown {
    return policy(this.described.req as never, new DescribedUpload(this.described, name, this));
  }

  limitBytes(bytes: number, refusal: Refusal, policy: string): void {
    const { length } = this.described;
    if (refusal.status === 413) this.#maxSize = Math.min(bytes, this.#maxSize ?? bytes);
    if (length !== undefined && length > bytes) this.refuse(refusal, policy);
  }

  refuse(verdict: Refusal, policy: string): void {
    if (this.#run.isOver) return;
    this.#run.abort();
    this.#refuse({ kind: "refuse", policy, verdict });
  }

  onClose(callback: (end: UploadEnd) => void): void {
    this.#closeCallbacks.push(callback);
    // A policy that returns after its time gets its callback at once.
    if (this.#run.isOver && !this.#keepsReservations) this.#callBack();
  }

  onLateFault(policy: string, error: Error): void {
    reportLateFault(this.settings.logger, policy, error);
  }

  onEnd(outcome: Outcome): void {
    if (outcome.kind !== "accept" || this.asking.isGone) {
      this.#refuse(outcome);
      return;
    }
    this.#keepsReservations = !this.described.isPreflight;
    if (!this.#keepsReservations) this.#giveBack();
    this.owner.onAccepted();
  }

  #refuse(outcome: Outcome): void {
    if (outcome.kind !== "accept" && !this.asking.isGone) this.owner.onRefused(outcome);
    this.#giveBack();
  }

  /** Logs a refusal, and returns it as it is sent. */
  report(outcome: Refused): { refusal: Refusal; by: RefusedWith } {
    const { settings, facts } = this;
    if (outcome.kind === "fault") {
      const by = { status: outcome.status, policy: outcome.policy, reason: undefined };
      reportFault(settings.logger, facts, by, outcome.error);
      return { refusal: refuse(outcome.status), by };
    }
    const refusal = refusalOf(outcome.verdict, facts.expectations.length > 0);
    const by = { status: refusal.status, policy: outcome.policy, reason: refusal.reason };
    reportRefusal(settings.logger, facts, by);
    return { refusal, by };
  }

  /** For records: they describe the upload, not the question. */
  get facts(): Recorded {
    const { req, length, expectations, isPreflight } = this.described;
    const isWithheld = isPreflight || expectations.some(isContinue);
    return { req, length, expectations, isPreflight, isWithheld, received: 0, startedAt: this.asking.startedAt };
  }

  // Policies release what they have reserved: no upload was accepted, or none comes.
  #giveBack(): void {
    this.#run.abort();
    this.#callBack();
  }

  #callBack(): void {
    const { error } = this.settings.logger;
    for (const callback of this.#closeCallbacks.splice(0)) callOnClose(callback, NOT_STORED, error);
  }
}
