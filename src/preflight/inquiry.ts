import type { GuardSettings } from "../guard/options.js";
import type { Handshake } from "../handshake/handshake.js";
import type { Described } from "../hearing/described-upload.js";
import { Hearing, type HearingOwner, type Refused } from "../hearing/hearing.js";
import { answerAccepted, answerLimits, answerRefused } from "./answer.js";

/** One question, put to the guards in the order of the upload's way. Ends with the first that refuses. */
export class Inquiry implements HearingOwner {
  #asked = 0;
  #hearing: Hearing | undefined;
  #maxSize: number | undefined;

  constructor(
    readonly asking: Handshake,
    readonly described: Described,
    readonly guards: readonly GuardSettings[],
  ) {}

  begin(): void {
    const guard = this.guards[this.#asked++];
    if (guard === undefined) {
      this.#accept();
      return;
    }
    // It lets all uploads without `Expect` pass, and clients that can send the field do not have to ask.
    if (guard.onlyExpectations) {
      this.begin();
      return;
    }
    this.#hearing = new Hearing(this.asking, this.described, guard, this);
    this.#hearing.begin();
  }

  onAccepted(): void {
    this.#noteLimit();
    this.begin();
  }

  onRefused(outcome: Refused): void {
    this.#noteLimit();
    const { asking } = this;
    const hearing = this.#hearing as Hearing;
    if (!this.#asksForLimits) {
      const { refusalBody, logger } = hearing.settings as GuardSettings;
      const { facts } = hearing;
      answerRefused(asking, { ...hearing.report(outcome), refusalBody, maxSize: this.#maxSize, facts, logger });
      return;
    }
    // No upload was described that could be refused: the limits that were told before are the answer.
    if (outcome.kind === "fault") hearing.report(outcome);
    answerLimits(asking, this.#maxSize);
  }

  #accept(): void {
    if (this.#asksForLimits) answerLimits(this.asking, this.#maxSize);
    else answerAccepted(this.asking, this.#maxSize);
  }

  get #asksForLimits(): boolean {
    return this.described.length === undefined;
  }

  #noteLimit(): void {
    const limits = [this.#maxSize, this.#hearing?.maxSize].filter((limit) => limit !== undefined);
    if (limits.length > 0) this.#maxSize = Math.min(...limits);
  }
}
