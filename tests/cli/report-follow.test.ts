import { EventEmitter } from "node:events";
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "@jest/globals";
import { main } from "../../src/cli/main.js";
import { fakeTerminal, REFUSAL } from "../helpers/report-log.js";
import { until } from "../helpers/until.js";

const folder = mkdtempSync(join(tmpdir(), "expectations-follow-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let number = 0;

function line(fields: object = {}): string {
  return `${JSON.stringify({ time: "2026-11-22T08:00:00.000Z", ...REFUSAL, ...fields })}\n`;
}

/** A log file with one refusal, by the policy "first". */
function log(content: string | Buffer = line({ policy: "first" })): string {
  const path = join(folder, `${++number}.log`);
  writeFileSync(path, content);
  return path;
}

/** Starts the command; `end` interrupts it as Ctrl-C does. */
function start(args: readonly string[], options: Parameters<typeof fakeTerminal>[0] = {}) {
  const signals = new EventEmitter();
  const terminal = Object.assign(fakeTerminal(options), {
    once: signals.once.bind(signals),
    off: signals.off.bind(signals),
  });
  const code = main(["report", "--follow", ...args], terminal);
  return {
    terminal,
    code,
    shows: (text: string) =>
      until(
        () => `${text} in ${terminal.stdout.text}`,
        () => terminal.stdout.text.includes(text),
      ),
    end: async () => {
      signals.emit("SIGINT");
      return { code: await code, listeners: signals.eventNames() };
    },
  };
}

describe("--follow --records", () => {
  test.concurrent("prints what is added, of several files", async () => {
    const [one, two] = [log(), log(line({ policy: "second" }))];
    const { terminal, shows, end } = start(["--records", one, two]);
    await shows("second");
    appendFileSync(one, line({ policy: "third" }));
    await shows("third");
    // A line in two parts.
    const text = line({ policy: "fourth" });
    appendFileSync(two, text.slice(0, 50));
    appendFileSync(one, line({ policy: "fifth" }));
    await shows("fifth");
    appendFileSync(two, text.slice(50));
    await shows("fourth");
    expect(await end()).toEqual({ code: 0, listeners: [] });
    const policies = terminal.stdout.text
      .trim()
      .split("\n")
      .map((each) => JSON.parse(each).policy);
    expect(policies.sort()).toEqual(["fifth", "first", "fourth", "second", "third"]);
  });

  test.concurrent("goes on with the new file when a log is rotated, and loses nothing of the old one", async () => {
    const path = log();
    const { terminal, shows, end } = start(["--records", path]);
    await shows("first");
    renameSync(path, `${path}.1`);
    appendFileSync(`${path}.1`, line({ policy: "late" }));
    writeFileSync(path, line({ policy: "new" }));
    await shows("new");
    expect(terminal.stdout.text).toContain("late");
    appendFileSync(path, line({ policy: "newer" }));
    await shows("newer");
    await end();
    expect(terminal.stdout.text.trim().split("\n")).toHaveLength(4);
  });

  test.concurrent("goes on when a log is truncated, in the middle of a line, too", async () => {
    const path = log(line({ policy: "first", reason: "x".repeat(500) }) + line().slice(0, 40));
    const { terminal, shows, end } = start(["--records", path]);
    await shows("first");
    truncateSync(path);
    appendFileSync(path, line({ policy: "new" }));
    await shows("new");
    await end();
    expect(terminal.stdout.text.trim().split("\n")).toHaveLength(2);
  });

  test.concurrent("keeps records by --where", async () => {
    const path = log(line({ status: 401, policy: "first" }));
    const { terminal, shows, end } = start(["--records", "--where", "status=413", path]);
    appendFileSync(path, line({ policy: "wanted" }));
    await shows("wanted");
    await end();
    expect(terminal.stdout.text).toBe(line({ policy: "wanted" }));
  });

  test.concurrent("ends when nobody reads it", async () => {
    const path = log();
    const { terminal, code, shows } = start(["--records", path]);
    await shows("first");
    terminal.stdout._write = (_chunk, _encoding, done) => done(Object.assign(new Error("closed"), { code: "EPIPE" }));
    appendFileSync(path, line());
    expect(await code).toBe(0);
  });
});

describe("--follow", () => {
  test.concurrent("draws the result again on a terminal when it has changed, and whole at the end", async () => {
    const path = log();
    const { terminal, shows, end } = start(["--no-color", path], { isTTY: true, columns: 80 });
    await shows("\x1b[2J\x1b[H1 refused");
    appendFileSync(path, line());
    await shows("2 refused");
    const { code } = await end();
    expect(code).toBe(0);
    const drawn = terminal.stdout.text.split("\x1b[2J\x1b[H");
    expect(drawn.length).toBe(4);
    expect(drawn.at(-1)).toContain("2 refused");
    expect(terminal.stderr.text).toBe("");
  });

  test.concurrent("draws nothing where there is no terminal, but the result at the end", async () => {
    const path = log();
    const page = join(folder, "page.html");
    const { terminal, end } = start([path, "--json", "--html", page]);
    await until("a page", () => readIfThere(page).includes("first"));
    appendFileSync(path, line({ policy: "second" }));
    await until("a page", () => readIfThere(page).includes("second"));
    expect(terminal.stdout.text).toBe("");
    expect((await end()).code).toBe(0);
    expect(JSON.parse(terminal.stdout.text).refused).toBe(2);
  });

  test.concurrent("ends with standard input, and on an interruption while nothing comes", async () => {
    const { code, terminal } = start([], { stdin: line() });
    expect(await code).toBe(0);
    expect(terminal.stdout.text).toContain("1 refused");

    const waiting = fakeTerminal();
    const signals = new EventEmitter();
    const stdin = Object.assign(new PassThrough(), { isTTY: false });
    const ended = main(["report", "--follow"], {
      ...waiting,
      stdin,
      once: signals.once.bind(signals),
      off: signals.off.bind(signals),
    });
    stdin.write(line());
    await until("a listener", () => signals.listenerCount("SIGTERM") > 0);
    signals.emit("SIGTERM");
    expect(await ended).toBe(0);
    expect(stdin.destroyed).toBe(true);
  });

  test.concurrent("reads files that are compressed, and stops", async () => {
    const path = log(gzipSync(line({ policy: "packed" })));
    const { shows, end } = start(["--records", path]);
    await shows("packed");
    expect((await end()).code).toBe(0);
  });

  test.concurrent("ends with 3 when the page cannot be written", async () => {
    const { code, terminal } = start([log(), "--html", join(folder, "no", "page.html")]);
    expect(await code).toBe(3);
    expect(terminal.stderr.text).toContain("page.html: there is no such file");
  });
});

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
