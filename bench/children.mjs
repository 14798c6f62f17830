// Talking with the processes of a run.
import { once } from "node:events";

/** What a child tells next. That it ends instead is an error, not a wait for ever. */
export async function messageOf(child) {
  const ended = new AbortController();
  const end = (code) => ended.abort(new Error(`${child.spawnargs.at(-1)} ended with ${code}`));
  child.once("exit", end);
  try {
    const [message] = await once(child, "message", { signal: ended.signal });
    return message;
  } finally {
    child.off("exit", end);
  }
}

/** Sends a child a job, and gives its answer. */
export function ask(child, job) {
  const answer = messageOf(child);
  child.send(job);
  return answer;
}
