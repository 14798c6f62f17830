// What happens to uploads behind one set-up of proxies.
import { randomBytes } from "node:crypto";
import { Connection, curl } from "./client.mjs";
import { ACCEPTED_TYPE, answerTo, HELD, REFUSED_STATUS, REFUSED_TYPE, sha256 } from "./origin.mjs";

/** Longer than any proxy needs for its answer, shorter than a hang. */
const PATIENCE_MS = 2_500;
/** How long a 100 is waited for while the verdict is held back. */
const HELD_MS = 800;
const HELD_RUNS = 3;
/** How long a client that expects the unknown waits before it sends its content. */
const UNKNOWN_MS = 300;
/** So many runs that hang are enough of a kind. */
const MOST_HANGS = 3;
/** What a client that is answered in time never takes. */
const HANG_MS = 2_000;

const ACCEPTED = randomBytes(300_000);
const SMALL = randomBytes(1_000);
export const REFUSED_WAITING = Buffer.alloc(2 ** 20, 1);
export const REFUSED_PUSHED = Buffer.alloc(16 * 2 ** 20, 2);

let paths = 0;
function newPath(prefix = "/files/") {
  paths++;
  return `${prefix}upload-${paths}`;
}

/**
 * Plays all exchanges of the suite.
 *
 * @param via - where clients connect: `port`, `isTls`, `forwardTo`.
 * @param runs - how often each of them is played, `oftener` some of them by a factor.
 * @param files - for curl: `waiting` and `pushed`, which hold what is refused.
 */
export async function measure(via, origin, files, runs, oftener = {}) {
  const times = (exchange) => runs * (oftener[exchange] ?? 1);
  const held = await repeat(HELD_RUNS, () => acceptHeld(via, origin));
  const accepted = await repeat(times("accepted"), () => accept(via, origin));
  const waiting = await repeat(runs, () => refuse(via, REFUSED_WAITING, { Expect: "100-continue" }));
  const pushed = await repeat(times("pushed"), () => refuse(via, REFUSED_PUSHED, {}));
  const unknown = await repeat(runs, () => expectUnknown(via, origin));
  const curlWaiting = await repeat(runs, () => refuseCurl(via, files.waiting, "Expect: 100-continue"));
  const curlPushed = await repeat(runs, () => refuseCurl(via, files.pushed, "Expect:"));
  return { held, accepted, waiting, pushed, unknown, curlWaiting, curlPushed };
}

async function repeat(runs, play) {
  const results = [];
  let hangs = 0;
  while (results.length < runs && hangs < MOST_HANGS) {
    const startedAt = performance.now();
    const result = await play();
    results.push(result);
    if (performance.now() - startedAt > HANG_MS) hangs++;
  }
  return results;
}

async function upload(connection, path, content, fields) {
  connection.request("PUT", path, { "Content-Length": content.length, "Content-Type": ACCEPTED_TYPE, ...fields });
}

/** An upload whose verdict is held back: who sends the 100, before or after it? */
async function acceptHeld(via, origin) {
  const path = newPath(HELD);
  const connection = await Connection.open(via);
  await upload(connection, path, ACCEPTED, { Expect: "100-continue" });
  const isEarly = await connection.until(() => connection.continues > 0, HELD_MS);
  origin.release(path);
  await connection.until(() => connection.continues > 0 || connection.final !== undefined, PATIENCE_MS);
  const isTimely = connection.continues > 0;
  await connection.push(ACCEPTED);
  await connection.until(() => connection.final !== undefined);
  const { continues } = connection;
  connection.close();
  const expect = origin.fields.get(path)?.expect;
  return { isEarly, isTimely, continues, seesExpect: expect !== undefined };
}

async function accept(via, origin) {
  const path = newPath();
  const connection = await Connection.open(via);
  await upload(connection, path, ACCEPTED, { Expect: "100-continue" });
  await connection.until(() => connection.continues > 0 || connection.final !== undefined, PATIENCE_MS);
  await connection.push(ACCEPTED);
  await connection.until(() => connection.final !== undefined);
  const { final, continues, error } = connection;
  const isStored = final?.status === 201 && final.body === sha256(ACCEPTED);
  const next = await askNext(connection, ACCEPTED.length, ACCEPTED);
  connection.close();
  const plain = newPath();
  const other = await askAsOther(via, plain);
  return {
    isStored,
    status: final?.status,
    error,
    continues,
    next,
    other,
    addsExpect: origin.fields.get(plain)?.expect !== undefined,
  };
}

async function refuse(via, content, fields) {
  const path = newPath();
  const connection = await Connection.open(via);
  await upload(connection, path, content, { "Content-Type": REFUSED_TYPE, ...fields });
  if (fields.Expect) {
    await connection.until(() => connection.continues > 0 || connection.final !== undefined, PATIENCE_MS);
  }
  const sent = await connection.push(content);
  await connection.until(() => connection.final !== undefined);
  const { final, continues, error } = connection;
  const other = await askAsOther(via, newPath());
  const next = await askNext(connection, continues > 0 || !fields.Expect ? sent : content.length, content);
  connection.close();
  return { isSeen: final?.status === REFUSED_STATUS, status: final?.status, sent, error, next, other };
}

/**
 * Sends another request on the connection, behind the rest of the content.
 *
 * @returns "answered"; "closed" where the connection was over, as the response had said or not; or "lost".
 */
async function askNext(connection, sent, content) {
  if (connection.hasEnded || connection.responses.at(-1)?.closes) return "closed";
  if (connection.final === undefined) return "lost";
  await connection.push(content.subarray(sent), () => false);
  const path = newPath();
  connection.request("GET", path, {});
  await connection.until(() => connection.final !== undefined);
  if (connection.final) return connection.final.body === answerTo(path) ? "answered" : "lost";
  return connection.hasEnded ? "closed" : "lost";
}

/** Whether other clients' requests, one without content and one with, are answered as they should be. */
async function askAsOther(via, path) {
  const [reader, writer] = [await Connection.open(via), await Connection.open(via)];
  const read = newPath();
  reader.request("GET", read, {});
  await upload(writer, path, SMALL, {});
  await writer.push(SMALL, () => false);
  await Promise.all([reader, writer].map((connection) => connection.until(() => connection.final !== undefined)));
  const isAnswered = reader.final?.body === answerTo(read);
  const isStored = writer.final?.status === 201 && writer.final.body === sha256(SMALL);
  reader.close();
  writer.close();
  return isAnswered && isStored;
}

async function expectUnknown(via, origin) {
  const path = newPath();
  const connection = await Connection.open(via);
  await upload(connection, path, SMALL, { Expect: "tea" });
  if (!(await connection.until(() => connection.final !== undefined, UNKNOWN_MS))) {
    await connection.push(SMALL);
    await connection.until(() => connection.final !== undefined);
  }
  const { final } = connection;
  connection.close();
  const isByApp = origin.fields.has(path) || origin.refused.has(path);
  return { status: final?.status, isByApp, other: await askAsOther(via, newPath()) };
}

async function refuseCurl(via, file, expectField) {
  const { status, sent } = await curl(via, newPath(), file, [`Content-Type: ${REFUSED_TYPE}`, expectField]);
  return { isSeen: status === REFUSED_STATUS, status, sent };
}
