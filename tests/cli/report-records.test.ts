import { Writable } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import { main } from "../../src/cli/main.js";
import { fakeTerminal, REFUSAL } from "../helpers/report-log.js";

function line(fields: object): string {
  return `${JSON.stringify({ time: "2026-11-22T08:00:00.000Z", ...REFUSAL, ...fields })}\n`;
}

async function run(args: readonly string[], stdin: string) {
  const terminal = fakeTerminal({ stdin });
  const code = await main(["report", ...args], terminal);
  return { code, out: terminal.stdout.text, err: terminal.stderr.text };
}

const LOG = [
  line({ status: 413, client: "10.1.2.3", policy: "one" }),
  '{"msg":"somebody else"}\n',
  line({ status: 401, client: "10.9.9.9", policy: "two" }),
  line({ status: 413, client: "192.0.2.7", policy: "three", time: "2026-11-20T08:00:00.000Z" }),
].join("");

describe("--where", () => {
  test("keeps the records that fit, in all numbers", async () => {
    const { code, out } = await run(["--json", "--where", "status=413", "--where", "client=10.0.0.0/8"], LOG);
    expect(code).toBe(0);
    const summary = JSON.parse(out);
    expect(summary).toMatchObject({ refused: 1, read: { lines: 4, foreign: 1, filtered: 2, outside: 0 } });
    expect(summary.by.policy.rows.map(({ key }: { key: string }) => key)).toEqual(["one"]);
  });

  test("says how many it left out", async () => {
    expect((await run(["--where", "status=417"], LOG)).out).toBe(
      "Nothing was refused.\n\nread 1.14 KiB, 4 lines, 1 of them not of this package, 3 records left out by\n  --where\n",
    );
  });

  test("is wrong usage if it is no condition", async () => {
    const expected = 'express-expectations report: --where: received "statuss=413"; did you mean status?\n';
    expect(await run(["--where", "statuss=413"], LOG)).toEqual({ code: 2, out: "", err: expected });
  });
});

describe("--records", () => {
  test("prints the lines behind a number, as they are", async () => {
    const { code, out, err } = await run(["--records", "--where", "status=413", "--since", "2026-11-21"], LOG);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toBe(`${LOG.split("\n")[0]}\n`);
  });

  test("prints records of Docker, journald and Kubernetes as the program wrote them", async () => {
    const record = line({}).trim();
    const stdin = [
      JSON.stringify({ log: `${record}\n`, stream: "stderr", time: "2026-11-22T08:00:00Z" }),
      JSON.stringify({ MESSAGE: record, __REALTIME_TIMESTAMP: "1763798400123456" }),
      `2026-11-22T08:00:00Z stderr F ${record}`,
      `Nov 22 08:00:00 host node[1]: ${record}`,
    ].join("\n");
    expect((await run(["--records"], stdin)).out).toBe(`${record}\n`.repeat(4));
  });

  test("escapes what would move a cursor, so that the JSON means the same", async () => {
    const reason = "\u202ea\u009bb\u{e0001}c";
    const { out } = await run(["--records"], line({ reason }));
    expect(out).toContain(String.raw`\u202ea\u009bb\udb40\udc01c`);
    expect(JSON.parse(out).reason).toBe(reason);
  });

  test("prints nothing, and fails, where no line is a JSON object", async () => {
    expect(await run(["--records"], "x\n")).toMatchObject({ code: 1, out: "" });
  });

  test.each([
    [["--records", "--json"], "--records and --json: received both; expected one of them"],
    [["--records", "--html", "x.html"], "--records and --html: received both; expected one of them"],
  ])("%j is wrong usage", async (args, message) => {
    expect(await run(args, LOG)).toEqual({ code: 2, out: "", err: `express-expectations report: ${message}\n` });
  });

  test("reads no more when nobody reads its output", async () => {
    const terminal = fakeTerminal();
    let writes = 0;
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => {
        writes++;
        done(Object.assign(new Error("closed"), { code: "EPIPE" }));
      },
    });
    let pieces = 0;
    const long = function* () {
      for (; pieces < 10_000; pieces++) yield Buffer.from(line({}));
    };
    const { stdin } = fakeTerminal({ stdin: { [Symbol.iterator]: long } });
    expect(await main(["report", "--records"], { ...terminal, stdin, stdout })).toBe(0);
    expect(writes).toBe(1);
    expect(pieces).toBeLessThan(100);
    expect(stdin.destroyed).toBe(true);
  });

  test("a full disk ends with 3", async () => {
    const terminal = fakeTerminal({ stdin: LOG });
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error("full"), { code: "ENOSPC" })),
    });
    expect(await main(["report", "--records"], { ...terminal, stdout })).toBe(3);
    expect(terminal.stderr.text).toBe("express-expectations: standard output cannot be written to: no space left\n");
  });
});
