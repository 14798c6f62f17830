import fc from "fast-check";

// The same cases in each run, so that a change is not judged by another change's luck. `.ci/full` takes others.
fc.configureGlobal({ seed: Number(process.env.PROPERTY_SEED ?? 1) });

export * from "fast-check";
export default fc;
