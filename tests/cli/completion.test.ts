import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { DESCRIPTIONS } from "../../src/cli/descriptions.js";
import { helpOf } from "../../src/cli/help.js";
import { main } from "../../src/cli/main.js";
import { fakeTerminal } from "../helpers/report-log.js";

const folder = mkdtempSync(join(tmpdir(), "expectations-completion-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Whether a program is there. A test that needs it says so if it is not. */
function has(program: string): boolean {
  const isThere = spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
  if (!isThere) process.stdout.write(`skipped: completions in ${program}, which is not installed\n`);
  return isThere;
}

async function run(...args: string[]) {
  const terminal = fakeTerminal();
  const code = await main(args, terminal);
  return { code, out: terminal.stdout.text, err: terminal.stderr.text };
}

async function script(shell: string): Promise<string> {
  const path = join(folder, `completion.${shell}`);
  writeFileSync(path, (await run("completion", shell)).out);
  return path;
}

const flags = DESCRIPTIONS.flatMap(({ name, options }) => Object.keys(options).map((flag) => [name, flag] as const));

describe("the help, the manual page and all completions have every option:", () => {
  const page = readFileSync(join(__dirname, "../../docs/express-expectations.1"), "utf8");

  test.each(flags)("%s --%s", async (name, flag) => {
    const description = DESCRIPTIONS.find((one) => one.name === name)!;
    expect(helpOf(description)).toContain(`--${flag}`);
    const section = page.split(/^\.SH /m).find((part) => part.startsWith(`${name.toUpperCase()}\n`));
    expect(section).toContain(`\\fB\\-\\-${flag.replaceAll("-", "\\-")}\\fR`);
    expect((await run("completion", "bash")).out).toContain(`--${flag}`);
    expect((await run("completion", "zsh")).out).toContain(`--${flag}`);
    expect((await run("completion", "fish")).out).toMatch(new RegExp(`from ${name}'.* -l ${flag} `));
  });
});

test.each(DESCRIPTIONS.map(({ name }) => name))("the help of %s fits 100 columns", async (name) => {
  for (const args of [["--help"], ["-h"], ["x", "--color", "--help"]]) {
    const { code, out } = await run(name, ...args);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^Usage: express-expectations ${name} `));
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  }
  expect((await run(name, "x", "-V")).out).toMatch(/^express-expectations /);
});

describe("wrong usage", () => {
  test.each([
    [["completion"], "SHELL: received 0 of them; expected one of bash, zsh, fish"],
    [["completion", "bash", "zsh"], "SHELL: received 2 of them; expected one of bash, zsh, fish"],
    [["completion", "tcsh"], 'SHELL: received "tcsh"; expected one of bash, zsh, fish'],
    [["completion", "constructor"], 'SHELL: received "constructor"; expected one of bash, zsh, fish'],
    [["completion", "--shel"], "no option --shel; did you mean --help?"],
  ])("%j", async (args, message) => {
    expect(await run(...args)).toEqual({ code: 2, out: "", err: `express-expectations completion: ${message}\n` });
  });
});

(has("bash") ? describe : describe.skip)("bash completes", () => {
  test.each<[string[], string[]]>([
    [["re"], ["report"]],
    [[""], ["probe", "report", "upload", "completion", "--help", "--version"]],
    [
      ["report", "--h"],
      ["--html", "--help"],
    ],
    [["report", "x", "--no"], ["--no-color"]],
    [["report", "--where", "st"], ["status="]],
    [
      ["probe", "-X", "P"],
      ["PUT", "POST", "PATCH"],
    ],
    [["probe", "--method", "=", "PO"], ["POST"]],
    [["probe", "--only", "pla"], ["plain"]],
    [["probe", "--only", "plain,wi"], ["plain,withheld"]],
    [["completion", "f"], ["fish"]],
    // Readline completes names of files where there are no words.
    [["report", "a"], []],
    [["report", "--html", ""], []],
    [["probe", "--timeout", ""], []],
  ])("%j", async (words, expected) => {
    const program = `source "$1"; shift
COMP_WORDS=(express-expectations "$@"); COMP_CWORD=$#
_express_expectations
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const out = execFileSync("bash", ["-c", program, "bash", await script("bash"), ...words], { encoding: "utf8" });
    expect(out.split("\n").filter((line) => line !== "")).toEqual(expected);
  });
});

(has("zsh") ? test : test.skip)("zsh accepts its script", async () => {
  execFileSync("zsh", ["-fn", await script("zsh")]);
});

(has("fish") ? test : test.skip)("fish completes", async () => {
  const path = await script("fish");
  const complete = (line: string) =>
    execFileSync("fish", ["--no-config", "-c", `source ${path}; complete -C ${JSON.stringify(line)}`], {
      encoding: "utf8",
    });
  expect(complete("express-expectations re")).toMatch(/^report\t/);
  expect(complete("express-expectations report --h").split("\n")).toEqual([
    expect.stringMatching(/^--help\t/),
    expect.stringMatching(/^--html\t/),
    "",
  ]);
  expect(complete("express-expectations probe -X PO")).toMatch(/^POST\t/);
});

(has("man") ? test : test.skip)("the manual page has no fault", () => {
  const { stderr, status } = spawnSync(
    "man",
    ["--warnings", "-l", join(__dirname, "../../docs/express-expectations.1")],
    {
      encoding: "utf8",
      env: { ...process.env, MANPAGER: "cat", MANROFFOPT: "" },
    },
  );
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
});
