import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import { main } from "../../src/cli/main.js";
import { authorize, expectations, maxSize, silent } from "../../src/index.js";
import { response } from "../../src/testing/misbehave/served.js";
import { TEST_CERT } from "../helpers/certificate.js";
import { fakeTerminal } from "../helpers/report-log.js";
import { closeServers, startAttached } from "../helpers/servers.js";
import { closeMisbehaving, digest, digestOf, startMisbehaving } from "../helpers/uploads.js";

const folder = mkdtempSync(join(tmpdir(), "expectations-cli-"));
const file = join(folder, "photo.png");
const content = Buffer.alloc(300_000, "picture ");
writeFileSync(file, content);

afterEach(async () => {
  await closeServers();
  await closeMisbehaving();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as the program does, with streams of its own. */
async function run(args: readonly string[], options: Parameters<typeof fakeTerminal>[0] = {}): Promise<Ran> {
  const terminal = fakeTerminal({ env: { NO_COLOR: "1" }, ...options });
  const code = await main(["upload", ...args], terminal);
  return { code, stdout: terminal.stdout.text, stderr: terminal.stderr.text };
}

const guard = expectations({
  policies: [
    authorize((req) => req.url?.startsWith("/digest") || req.headers.authorization === `Basic ${btoa("ann:secret")}`, {
      challenge: 'Basic realm="uploads"',
    }),
    maxSize("1mb"),
  ],
  logger: silent,
});

async function started(kind: "node:http" | "h2" = "node:http"): Promise<string> {
  const server = await startAttached(
    kind,
    { use: [guard], routes: { "/digest": digest, "/private": digest } },
    { logger: silent },
  );
  return `${server.isTls ? "https" : "http"}://127.0.0.1:${server.port}`;
}

describe("says what came of the handshake:", () => {
  test("an upload that the server asked for", async () => {
    const { code, stdout, stderr } = await run([file, `${await started()}/digest`]);
    expect(stdout).toMatch(/^201 Created\n {2}100 Continue after \d+ ms, 293 KiB sent; \d+ ms in all\n$/);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test("over HTTP/2, with the certificate passed over, or not", async () => {
    const url = `${await started("h2")}/digest`;
    expect(await run(["--insecure", file, url])).toMatchObject({ code: 0, stderr: "" });
    const { code, stderr } = await run([file, url]);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /^express-expectations upload: no connection with 127\.0\.0\.1:\d+: self-signed certificate(?:; .*)?\n$/,
    );
    expect(await run(["-k", "--http1.1", file, url])).toMatchObject({ code: 3 });
  });

  test("over TLS, with the authority that it is to trust", async () => {
    const url = `${await started("h2")}/digest`;
    const authority = join(folder, "authority.pem");
    writeFileSync(authority, TEST_CERT);
    expect(await run(["--cacert", authority, file, url])).toMatchObject({ code: 0, stderr: "" });
  });

  test("has colours if it is told to", async () => {
    const url = `${await started()}/digest`;
    expect((await run(["--color", file, url])).stdout).toContain("\u001b[32m201");
    const forced = { env: { FORCE_COLOR: "1" } };
    expect((await run([file, url], forced)).stdout).toContain("\u001b[32m201");
    expect((await run(["--no-color", file, url], forced)).stdout).not.toContain("\u001b");
  });

  test("a refusal", async () => {
    const large = join(folder, "large.png");
    writeFileSync(large, Buffer.alloc(2 ** 20 + 1));
    const { code, stdout } = await run([large, `${await started()}/digest`]);
    expect(stdout).toMatch(
      /^413 Payload Too Large\n {2}refused before a byte of content was sent, after \d+ ms; \d+ ms in all\n/,
    );
    expect(code).toBe(1);
  });

  test("what the server says, without what would change the terminal", async () => {
    const { url } = await startMisbehaving((served) => {
      served.end(
        response("403 Forbidden", ["Connection: close", "Content-Type: text/plain"], "no\x1b[2J uploads\nsecond\n"),
      );
      return true;
    });
    const { stdout } = await run([file, url]);
    expect(stdout).toContain("\n  no\\u001b[2J uploads\n  second\n");
  });

  test("a server that knows no 100, and one that refuses Expect", async () => {
    const mute = await startMisbehaving("no-continue");
    expect((await run(["--expect-timeout", "0.1", file, mute.url])).stdout).toMatch(
      /^201 Created\n {2}no 100 Continue within 100 ms, 293 KiB sent without it; /,
    );
    const strict = await startMisbehaving("expectation-failed");
    const { stdout, code } = await run([file, strict.url]);
    expect(stdout).toMatch(
      /^201 Created\n {2}417 for the request with Expect, then 293 KiB sent without it; \d+ ms in all\n {2}2 requests, the last one to http:/,
    );
    expect(code).toBe(0);
  });

  test("as JSON", async () => {
    const { stdout } = await run(["--json", file, `${await started()}/digest?token=secret`]);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 201,
      sentBytes: content.length,
      wasContinued: true,
      attempts: 1,
      isComplete: true,
      body: digestOf(content),
      url: expect.stringMatching(/\/digest$/),
    });
  });

  test("in one line", async () => {
    expect(await run(["-q", file, `${await started()}/digest`], { isTTY: true })).toEqual({
      code: 0,
      stdout: "201 Created\n",
      stderr: "",
    });
  });
});

test("shows progress on a terminal, also of an upload that is repeated", async () => {
  const { url } = await startMisbehaving("expectation-failed");
  const { stderr } = await run([file, url], { isTTY: true });
  expect(stderr).toMatch(/\[#+\.*\] +\d+ % of 293 KiB/);
  expect(stderr.endsWith("\r\x1b[K")).toBe(true);
});

test("sends standard input, whose length it does not know", async () => {
  const { url, heads } = await startMisbehaving();
  expect(await run(["-", url], { stdin: "from a pipe" })).toMatchObject({ code: 0 });
  expect(heads[0]?.fields["transfer-encoding"]).toBe("chunked");
});

test("sends the method, fields and credentials that it is given", async () => {
  const { url, heads } = await startMisbehaving();
  await run(["-X", "POST", "-H", "X-Name: photo", "-H", "X-Name: 1", "-u", "ann:secret", file, url]);
  const [head] = heads;
  expect([head?.method, head?.fields.authorization]).toEqual(["POST", `Basic ${btoa("ann:secret")}`]);
  expect(head?.text).toMatch(/x-name: photo\r\nx-name: 1\r\n/);
  const base = await started();
  expect((await run([file, `${base}/private`])).stdout).toMatch(/^401 Unauthorized\n/);
  expect(await run([file, `${base.replace("//", "//ann:secret@")}/private`])).toMatchObject({ code: 0 });
});

test("follows as many redirects as it is told to", async () => {
  const { url } = await startMisbehaving((served) => {
    if (served.head.target !== "/upload") return false;
    served.end(response("307 Temporary Redirect", ["Connection: close", "Location: /moved"]));
    return true;
  });
  expect(await run([file, url])).toMatchObject({ code: 1 });
  expect((await run(["--redirects", "1", file, url])).stdout).toMatch(
    /2 requests, the last one to http:\/\/127\.0\.0\.1:\d+\/moved\n$/,
  );
});

test.each([
  ["a file that is not there", [join(folder, "nothing"), "http://127.0.0.1:1/"], /the body cannot be read: ENOENT/],
  ["a folder", [folder, "http://127.0.0.1:1/"], /is not a file/],
  ["nobody listens", [file, "http://127.0.0.1:1/"], /no connection with 127\.0\.0\.1:1: connect ECONNREFUSED/],
])("%s: exit code 3, and why in one line", async (_, args, message) => {
  const { code, stderr, stdout } = await run(args);
  expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
});

test.each([
  [["--timeout", "1", file, "URL"], /.*/],
  [[file], /FILE URL: received 1 arguments; expected a file and a URL/],
  [[file, "http://a/", "b"], /received 3 arguments/],
  [[file, "ftp://a/"], /URL: received no http or https URL/],
  [["--expect-timeout", "no", file, "http://a/"], /--expect-timeout: received "no"; expected seconds/],
  [["--redirects", "-1", file, "http://a/"], /--redirects/],
  [["--redirects=51", file, "http://a/"], /--redirects: received "51"; expected a whole number from 0 to 50/],
  [["-X", "P T", file, "http://a/"], /--method: received "P T"/],
  [["-H", "Expect: x", file, "http://a/"], /--header: received "Expect"; expected another field/],
  [["-H", "nothing", file, "http://a/"], /--header: received a line without a name/],
  [["--key", file, file, "http://a/"], /--key: received without --cert; expected both/],
  [["--cacert", file, file, "http://a/"], /--cacert: .*photo.png has no PEM block; expected a PEM file/],
  [["-u", "ann", file, "http://a/"], /--user: received no colon/],
  [["--what", file, "http://a/"], /no option --what/],
])("wrong usage %j: exit code 2", async (args, message) => {
  const { code, stderr, stdout } = await run(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(message);
});

test("--help", async () => {
  const { code, stdout } = await run(["--help"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Usage: express-expectations upload \[OPTION…\] FILE URL\n/);
  for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(115);
});
