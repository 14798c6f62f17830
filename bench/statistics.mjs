// What the numbers of many slots come to.

/** The middle one; of an even number the upper one of the two. */
export const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** What a quarter of them are below. */
export const lowerQuartile = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 4)];

/** The median, and the interval that holds the true one in 95 of 100 runs (order statistics, no distribution assumed). */
export function medianWithin(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const reach = 0.98 * Math.sqrt(sorted.length);
  const middle = (sorted.length - 1) / 2;
  const at = (i) => sorted[Math.max(0, Math.min(sorted.length - 1, Math.round(i)))];
  return { median: median(sorted), from: at(middle - reach), to: at(middle + reach) };
}
