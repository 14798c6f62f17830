/**
 * Returns the answer of a store, or rejects if it takes longer than `ms` milliseconds.
 *
 * The store may answer later all the same: handle `answer` as well if that matters.
 */
export function inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
