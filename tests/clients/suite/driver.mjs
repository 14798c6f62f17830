import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const START_MS = 60_000;

/**
 * A client's own process, which runs exchange after exchange on one session.
 *
 * It prints `ready`, TAB and its version. Each line that it reads is an upload and the one to follow it on the same
 * session: CREDENTIALS or `-`, `length` or `chunked`, URL, FILE, URL, FILE; separated by tabs. It answers with a line:
 * STATUS, NOTE, STATUS, NOTE. A status of 0 is none, and the note says why; the note `caller` says that the driver, and
 * not the client, sent the upload again with credentials.
 */
export class Driver {
  #child;
  #lines;
  #complaints = "";
  #ended;

  /** Starts the process. Rejects with a `MissingError` where there is no such client here. */
  static async start([program, ...args]) {
    const driver = new Driver();
    // A process group of its own: what it starts must end with it.
    driver.#child = spawn(program, args, { detached: true });
    driver.#ended = new Promise((resolve) => {
      driver.#child.once("error", ({ message }) => resolve(message));
      driver.#child.once("close", (code, signal) => resolve(driver.#complaint(`it ended with ${signal ?? code}`)));
    });
    driver.#child.stdin.on("error", () => {});
    driver.#child.stderr.setEncoding("utf8").on("data", (text) => {
      driver.#complaints = (driver.#complaints + text).slice(-4_000);
    });
    driver.#lines = createInterface({ input: driver.#child.stdout })[Symbol.asyncIterator]();
    try {
      const [ready, version] = await driver.#line(START_MS);
      if (ready !== "ready") throw new Error(`it began with ${JSON.stringify(ready)}`);
      driver.version = version;
      return driver;
    } catch (error) {
      driver.stop();
      throw MISSING.test(error.message) ? new MissingError(error.message) : error;
    }
  }

  /** One upload and its follower: what the client saw of each, as `{ status, note }`. Rejects where the process ends. */
  async exchange(fields, deadlineMs) {
    this.#child.stdin.write(`${fields.join("\t")}\n`);
    const [status, note, nextStatus, nextNote] = await this.#line(deadlineMs);
    return [
      { status: Number(status), note },
      { status: Number(nextStatus), note: nextNote },
    ];
  }

  stop() {
    try {
      process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // It has ended already, or could not be started.
    }
  }

  async #line(deadlineMs) {
    let timer;
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(new HangError(deadlineMs)), deadlineMs);
    });
    const line = this.#lines.next().then(async ({ done, value }) => {
      if (done) throw new Error(await this.#ended);
      return value.split("\t");
    });
    return Promise.race([line, late]).finally(() => clearTimeout(timer));
  }

  #complaint(otherwise) {
    const lines = this.#complaints.split("\n").map((line) => line.trim());
    return lines.find((line) => MISSING.test(line)) ?? (lines.findLast((line) => line !== "") || otherwise);
  }
}

/** What the languages say of a program, module or package that is not there. */
const MISSING =
  /ENOENT|No module named|cannot load such file|Can't locate|Failed opening required|is not installed|Cannot find (module|package)|undefined function curl_version/;

/** A client that cannot be had here, and why. */
export class MissingError extends Error {}

/** An exchange without an end. */
export class HangError extends Error {
  constructor(ms) {
    super(`hangs: no answer within ${ms / 1000} s`);
  }
}
