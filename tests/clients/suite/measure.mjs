import { CASES, credentialsOf, DEADLINE_MS } from "./cases.mjs";
import { Driver, HangError } from "./driver.mjs";

const MOST_WAITS = 3;

/**
 * Takes one mode of a client through every case, `runs` times; with `isTimed`, sees how long it waits, too.
 *
 * @returns a row: `version`; `sendsExpect` and `waited`, as the server saw it; `repeats`, who sent the upload again
 *   after the 401; `cells` by the case's name, and `next` and `hang`: how often it was `right`, and texts of what was
 *   not, by count. Rejects with a `MissingError` where the client is not to be had.
 */
export async function measure(mode, { server, contents, next, folder, runs, isTimed }) {
  const command = typeof mode.start === "function" ? await mode.start(folder) : mode.start;
  let driver = await Driver.start(command);
  const row = { name: mode.name, version: driver.version, cells: {} };
  for (const key of [...CASES.map(({ name }) => name), "next", "hang"]) row.cells[key] = { right: 0, wrong: {} };

  async function exchange({ path, isChunked, hasCredentials }, content) {
    const upload = ++lastUpload;
    const id = `${path}/${upload}`;
    const fields = [
      hasCredentials ? credentialsOf(upload) : "-",
      isChunked && mode.canChunk ? "chunked" : "length",
      ...[`${server.url}/${id}`, content.file],
      ...[`${server.url}/accepted/next-${id.replace("/", "-")}`, next.file],
    ];
    const failed = (note) => ({ id, seen: [{ status: 0, note }, undefined] });
    try {
      return { id, seen: await driver.exchange(fields, DEADLINE_MS) };
    } catch (error) {
      driver.stop();
      driver = await Driver.start(command);
      count(row.cells.hang, error instanceof HangError ? `${path}: ${error.message}` : undefined);
      return failed(error.message);
    }
  }

  // The median of a few: a busy machine adds to it, or has the server see the request late.
  async function patience() {
    const waits = [];
    for (let i = 0; i < Math.min(runs, MOST_WAITS); i++) {
      const { id } = await exchange({ path: "patience" }, contents[0]);
      const [request] = server.requestsOf(`/${id}`);
      if (request?.waitedMs !== undefined) waits.push({ ms: request.waitedMs, gaveUp: request.gaveUp });
    }
    return waits.sort((a, b) => a.ms - b.ms)[Math.floor(waits.length / 2)];
  }

  try {
    for (let run = 0; run < runs; run++) {
      const content = contents[run % contents.length];
      for (const testCase of CASES) {
        const { id, seen } = await exchange(testCase, content);
        const requests = server.requestsOf(`/${id}`);
        count(row.cells[testCase.name], whyWrong(testCase, seen[0], requests, content, mode));
        if (testCase.path === "accepted") row.sendsExpect ??= requests[0]?.expect !== undefined;
        if (testCase.hasCredentials && seen[0].status === 201) row.repeats = seen[0].note || "itself";
        if (seen[1] === undefined) continue;
        row.cells.hang.right++;
        const follower = server.requestsOf(`/accepted/next-${id.replace("/", "-")}`);
        const expected = mode.hasOneFile ? content : next;
        const why = whyWrong({ statuses: [201], isStored: true }, seen[1], follower, expected);
        count(row.cells.next, why && `behind ${testCase.path}: ${why}`);
      }
    }
    if (isTimed) row.waited = await patience();
  } finally {
    driver.stop();
  }
  return row;
}

let lastUpload = 0;

function count(cell, wrong) {
  if (wrong === undefined) cell.right++;
  else cell.wrong[wrong] = (cell.wrong[wrong] ?? 0) + 1;
}

/** Why an exchange did not go as it should; `undefined` where it did. */
function whyWrong(testCase, seen, requests, content, mode = {}) {
  const expectsNone = requests.length > 0 && requests[0].expect === undefined;
  const statuses =
    (expectsNone && testCase.withoutExpect) || (mode.repeats417 && testCase.repeated) || testCase.statuses;
  if (seen === undefined) return "nothing was seen";
  if (seen.status !== statuses.at(-1)) return seen.status === 0 ? seen.note : `saw ${seen.status}`;
  const answered = requests.map(({ status }) => status);
  if (answered.join() !== statuses.join()) return `the server answered ${answered.join(", ")}`;
  if (!testCase.isStored) return undefined;
  const { bytes, sha256 } = requests.at(-1);
  return bytes === content.bytes && sha256 === content.sha256 ? undefined : `${bytes} other bytes were stored`;
}
