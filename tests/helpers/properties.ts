import fc from "fast-check";

// The same cases in each run, so that a change is not judged by another change's luck. `.ci/full` takes others.
fc.configureGlobal({ seed: Number(process.env.PROPERTY_SEED ?? 1) });

/** The most cases of a property. `npm run mutation` takes few: it runs each property hundreds of times. */
const MOST_RUNS = Number(process.env.PROPERTY_RUNS ?? Number.POSITIVE_INFINITY);

export * from "fast-check";

/** Checks a property, as fast-check's own `assert` does. */
export const assert = ((property: fc.IRawProperty<unknown>, parameters: fc.Parameters<unknown> = {}) =>
  fc.assert(property, {
    ...parameters,
    numRuns: Math.min(parameters.numRuns ?? 100, MOST_RUNS),
  })) as typeof fc.assert;

export default fc;
