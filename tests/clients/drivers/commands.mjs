// curl and wget behind the protocol of ../suite/driver.mjs. One process of theirs is one session.
//
//   node commands.mjs curl put|post|stdin [OPTION...]
//   node commands.mjs wget [OPTION...]
import { spawn, spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";

const [tool, ...args] = process.argv.slice(2);

/** Runs the tool to its end, with a file for its standard input. */
function run(options, input = "/dev/null") {
  return new Promise((resolve, reject) => {
    const stdin = openSync(input);
    const child = spawn(tool, options, { stdio: [stdin, "pipe", "pipe"] });
    closeSync(stdin);
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) {
      child[name].setEncoding("latin1").on("data", (chunk) => {
        output[name] += chunk;
      });
    }
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
}

async function curl(credentials, framing, uploads) {
  const [mode, ...options] = args;
  const optionsOf = ({ url, file }, isFirst) => [
    ...["-sS", "-o", "/dev/null", "-w", "%{exitcode} %{http_code} %{errormsg}\\n", ...options],
    ...(framing === "chunked" && mode !== "stdin" ? ["-H", "Transfer-Encoding: chunked"] : []),
    ...(credentials === "-" ? [] : ["--anyauth", "-u", credentials]),
    ...(mode === "post" ? ["--data-binary", `@${file}`] : ["-T", mode === "stdin" && isFirst ? "-" : file]),
    url,
  ];
  const [first, next] = uploads;
  const { stdout } = await run(
    ["-q", "--noproxy", "*", ...optionsOf(first, true), "--next", ...optionsOf(next, false)],
    mode === "stdin" ? first.file : undefined,
  );
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [exit, status, ...message] = line.split(" ");
      return exit === "0" ? [status, ""] : ["0", `exit ${exit}, status ${status}: ${message.join(" ")}`];
    });
}

// One file serves both uploads: wget has one --body-file for all its addresses.
async function wget(credentials, framing, [first, next]) {
  if (framing === "chunked") return [["0", "wget cannot send chunks"]];
  const [user, password] = credentials.split(":");
  const { stderr } = await run([
    ...["--no-config", "--no-proxy", "-S", "-O", "/dev/null", "--tries=1", "--content-on-error", ...args],
    ...(credentials === "-" ? [] : [`--user=${user}`, `--password=${password}`]),
    ...["--method=PUT", `--body-file=${first.file}`, first.url, next.url],
  ]);
  return stderr
    .split(/^--\d{4}-\d\d-\d\d .*$/m)
    .slice(1)
    .map((report) => {
      const last = [...report.matchAll(/^ +HTTP\/1\.1 (\d{3})/gm)].at(-1);
      return last ? [last[1], ""] : ["0", report.trim()];
    });
}

const { stdout, error } = spawnSync(tool, ["--version"], { encoding: "utf8" });
if (error) {
  console.error(error.code === "ENOENT" ? `${tool} is not installed` : error.message);
  process.exit(1);
}
console.log(`ready\t${/\d+(\.\d+)+/.exec(stdout)[0]}`);

for await (const line of createInterface({ input: process.stdin })) {
  const [credentials, framing, url, file, nextUrl, nextFile] = line.split("\t");
  const uploads = [
    { url, file },
    { url: nextUrl, file: nextFile },
  ];
  const seen = await (tool === "curl" ? curl : wget)(credentials, framing, uploads);
  console.log(seen.flat().join("\t").replaceAll("\n", " "));
}
