import type { HttpRequest } from "../http/message.js";
import type { Refusal } from "../http/refusal.js";
import { policyName } from "./names.js";
import type { Policy, Upload, Verdict } from "./policy.js";
import { requireLimit, requireRate, requireRefusal } from "./refuse.js";
import { isThenable } from "./run.js";

type Answer = ReturnType<Policy>;

/**
 * Asks one of several policies of which one has to accept.
 *
 * What it asks of the upload takes effect only if it accepts: in `anyOf(allOf(maxSize("1kb"), isGuest), isSignedIn)`, a
 * client that is signed in has no limit. If it refuses by `upload.refuse`, that is its answer, and others are asked.
 */
export function askBranch<Req extends HttpRequest>(policy: Policy<Req>, req: Req, upload: Upload): Answer {
  const branch = new Branch(upload);
  const answer = policy(req, branch.view);
  if (!isThenable(answer)) return branch.settle(answer);
  return new Promise((resolve, reject) => {
    branch.onRefusal((refusal) => resolve(branch.settle(refusal)));
    Promise.resolve(answer)
      .then((verdict) => branch.settle(verdict))
      .then(resolve, (error: unknown) => {
        if (branch.isOver) upload.report(`policy ${policyName(policy)} failed after it had refused`, error);
        else reject(error);
      });
  });
}

/** One policy's view of the upload: it keeps what the policy asks for until the policy has accepted. */
class Branch {
  readonly view: Upload;
  readonly #terms: (() => void)[] = [];
  #state: "judging" | "accepted" | "over" = "judging";
  #refusal: Refusal | undefined;
  #listener: ((refusal: Refusal) => void) | undefined;

  constructor(readonly upload: Upload) {
    const limitBytes: Upload["limitBytes"] = (bytes, refusal) => {
      requireLimit(bytes, refusal);
      this.#hold(() => upload.limitBytes(bytes, refusal));
    };
    const demandRate: Upload["requireRate"] = (bytesPerSecond, graceMs) => {
      requireRate(bytesPerSecond, graceMs);
      this.#hold(() => upload.requireRate(bytesPerSecond, graceMs));
    };
    this.view = Object.create(upload, {
      limitBytes: { value: limitBytes },
      requireRate: { value: demandRate },
      refuse: { value: (refusal: Refusal) => this.#refuse(refusal) },
    }) as Upload;
  }

  get isOver(): boolean {
    return this.#state === "over";
  }

  /** Calls back when the policy refuses by `upload.refuse` before it has answered. */
  onRefusal(listener: (refusal: Refusal) => void): void {
    this.#listener = listener;
    if (this.#refusal) listener(this.#refusal);
  }

  /** Returns the verdict that counts. */
  settle(answer: Verdict): Verdict {
    if (this.#state !== "judging") return answer;
    const verdict = this.#refusal ?? answer;
    this.#state = verdict === true ? "accepted" : "over";
    if (verdict === true) for (const term of this.#terms) term();
    return verdict;
  }

  #hold(term: () => void): void {
    if (this.#state === "accepted") term();
    else this.#terms.push(term);
  }

  #refuse(refusal: Refusal): void {
    requireRefusal("upload.refuse(refusal)", refusal);
    if (this.#state === "accepted") this.upload.refuse(refusal);
    else if (this.#state === "judging") {
      this.#refusal ??= refusal;
      this.#listener?.(this.#refusal);
    }
  }
}
