/**
 * Waits for an answer for a limited time.
 *
 * @param ms - milliseconds.
 * @throws what `answer` rejects with, or an error after `ms`. A later rejection of `answer` is handled.
 */
export function withTimeout<T>(answer: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
