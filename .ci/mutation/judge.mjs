// Tries one change: runs its tests until one fails that passes without it.

/** A test may take so much longer than without a change. */
function limitOf(ms) {
  return 3_000 + 4 * ms;
}

/**
 * Tries a change.
 *
 * @returns `{ status, by }`: "killed", "timeout", "survived" or "uncovered"; `by` names the test.
 */
export async function judge(mutant, plan, workers) {
  const stages = plan.for(mutant);
  if (stages.length === 0) return { status: "uncovered" };
  for (const stage of stages) {
    const failed = await failureOf(mutant, stage, workers);
    if (!failed) continue;
    plan.note(mutant.file, failed.file);
    return { status: failed.isLate ? "timeout" : "killed", by: `${failed.file} ${failed.index}: ${failed.message}` };
  }
  return { status: "survived" };
}

async function failureOf({ id }, stage, workers) {
  let files = stage.map(({ file, tests }) => ({ file, tests: limitsOf(tests) }));
  while (files.length > 0) {
    const { failed } = await workers.run({ files, mutant: id });
    if (failed.length === 0) return undefined;
    const proof = await proofOf(id, failed[0], files, workers);
    if (proof) return proof;
    files = without(failed[0], files);
  }
  return undefined;
}

// A test that fails with the change must fail with it alone, too, and pass without it right behind, or it says nothing: a
// busy machine is late by itself, and tests that share modules and a process may fail for what others have left.
async function proofOf(mutant, { file, index }, files, workers) {
  const limits = files.find((step) => step.file === file).tests;
  const tests = index === undefined ? limits : { [index]: limits[index] };
  const alone = { files: [{ file, tests }] };
  const [failed] = (await workers.run({ ...alone, mutant })).failed;
  if (!failed) return undefined;
  const isGood = async (options) => (await workers.run(alone, options)).failed.length === 0;
  return (await isGood()) || (await isGood({ isFresh: true })) ? failed : undefined;
}

function without({ file, index }, files) {
  const at = files.findIndex((step) => step.file === file);
  const left = files.slice(at);
  const tests = { ...left[0].tests };
  delete tests[index];
  const isEmpty = index === undefined || Object.keys(tests).length === 0;
  return isEmpty ? left.slice(1) : [{ file, tests }, ...left.slice(1)];
}

function limitsOf(tests) {
  return Object.fromEntries(tests.map(({ index, ms }) => [index, limitOf(ms)]));
}
