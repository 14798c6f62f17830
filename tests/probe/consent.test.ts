import { afterAll, describe, expect, test } from "@jest/globals";
import { EXCHANGE_IDS } from "../../src/probe/exchange-result.js";
import { probeJson, runProbe } from "./command.js";
import { closePeers, listenRaw, response, startPeer } from "./peer.js";

// A probe waits for what does not come, most of the time: they run side by side.
afterAll(closePeers);

/** Counts what is sent beyond header sections. */
async function startCounter(): Promise<{ url: string; readonly bytes: number; readonly requests: number }> {
  const count = { bytes: 0, requests: 0 };
  const { url } = await listenRaw((socket) => {
    socket.on("data", (chunk: Buffer | string) => {
      const text = chunk.toString("latin1");
      const heads = text.match(/[A-Z]+ \S+ HTTP\/1\.[01]\r\n(?:[^\r\n]+\r\n)*\r\n/g) ?? [];
      count.requests += heads.length;
      count.bytes += text.length - heads.join("").length;
      for (const head of heads) {
        if (/\r\nExpect: 100-continue\r\n/i.test(head)) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
        else socket.write(response("200 OK"));
      }
    });
    socket.on("end", () => socket.end());
  });
  return Object.assign(count, { url });
}

describe("content", () => {
  test.concurrent("is not sent off a terminal without --yes, and the report says so", async () => {
    const counter = await startCounter();
    const { stdout } = await runProbe([counter.url]);
    expect(counter.bytes).toBe(0);
    expect(counter.requests).toBeGreaterThan(8);
    expect(stdout).toContain("--yes sends it");
    expect(stdout).toMatch(/left out: control, sent, pushed, late/);
  });

  test.concurrent("is sent with --yes, at most 20 requests of at most 1 MiB", async () => {
    const { url, heads } = await startPeer();
    await runProbe(["--yes", url]);
    expect(heads.length).toBeLessThanOrEqual(20);
    const announced = heads.map(({ length }) => length).filter((length) => length !== 10 * 2 ** 30);
    expect(Math.max(...announced)).toBe(1_048_576);
  });

  test.concurrent.each([
    ["y\n", "sent"],
    ["yes\n", "sent"],
    ["n\n", "declined"],
    ["\n", "declined"],
  ])("on a terminal the answer %j decides", async (answer, content) => {
    const { url, heads } = await startPeer();
    const args = ["--json", "--only", "plain,sent", `${url}?key=secret-value`];
    const { stdout, stderr } = await runProbe(args, { isTTY: true, answer });
    expect(JSON.parse(stdout).settings.content).toBe(content);
    expect(stderr).toContain("which it might store. Send them? [y/N]");
    expect(stderr).not.toContain("secret-value");
    expect(heads.some(({ hasContent }) => hasContent)).toBe(content === "sent");
  });

  test.concurrent("is what --data and --size say, in each exchange", async () => {
    const seen: string[] = [];
    const { url } = await startPeer(async (served) => {
      if (!served.isFor("none")) return false;
      seen.push(await served.content());
      served.send(response("201 Created"));
      return true;
    });
    await runProbe(["--yes", "--only", "control", "--data", "hello", url]);
    await runProbe(["--yes", "--only", "control", "--size", "3kb", url]);
    expect(seen).toEqual(["hello", "x".repeat(3_072)]);
  });
});

test.concurrent("shows progress on a terminal alone", async () => {
  const { url } = await startPeer();
  const args = ["--yes", "--only", "plain,withheld", url];
  expect((await runProbe(args)).stderr).toBe("");
  expect((await runProbe(args, { isTTY: true })).stderr).toContain("1/2 GET without Expect");
  expect((await runProbe(["--quiet", ...args], { isTTY: true })).stderr).toBe("");
});

test.concurrent("--quiet prints the verdict alone", async () => {
  const { url } = await startPeer();
  const { stdout } = await runProbe(["--quiet", "--only", "plain,withheld", url]);
  expect(stdout).toMatch(/^HEALTHY {2}100 Continue after [\d.]+ ms; nothing is wrong with the handshake\n$/);
});

test.concurrent("method, fields and host reach the server; the JSON keeps their secrets", async () => {
  const { url, port, heads } = await startPeer();
  const args = ["--only", "withheld", "-X", "POST", "-H", "X-One: 1", "--user", "aladdin:opensesame"];
  const result = await probeJson(
    ...args,
    "--resolve",
    `upload.test:${port}:127.0.0.1`,
    `http://upload.test:${port}/a?b=c`,
  );
  expect(url).toContain(String(port));
  expect(heads[0]?.text).toBe(
    [
      "POST /a?b=c HTTP/1.1",
      `Host: upload.test:${port}`,
      "User-Agent: express-expectations-probe",
      "Accept: */*",
      "X-One: 1",
      "Authorization: Basic YWxhZGRpbjpvcGVuc2VzYW1l",
      "Expect: 100-continue",
      "Content-Length: 16384",
      "Content-Type: application/octet-stream",
      "",
      "",
    ].join("\r\n"),
  );
  const [sent] = result.target.exchanges[0]?.events ?? [];
  expect(sent).toMatchObject({
    kind: "sent",
    lines: expect.arrayContaining(["Authorization: [hidden]", "X-One: [hidden]"]),
  });
});

describe("wrong usage ends with 2 and says what is right:", () => {
  test.each<[string, string[], RegExp]>([
    ["no URL", [], /URL: received none/],
    ["two URLs", ["http://a/", "http://b/"], /received 2 of them/],
    ["another scheme", ["ftp://a/"], /expected such as https:/],
    ["no URL at all", ["nonsense"], /expected such as https:/],
    ["an unknown option", ["--nonsense", "http://a/"], /no option --nonsense/],
    ["an option that is almost one", ["--insecur", "http://a/"], /no option --insecur; did you mean --insecure\?/],
    ["an option with escapes", ["--\x1b[31m", "http://a/"], /no option --\\u001b\[31m/],
    ["a method that asks for a tunnel", ["-X", "CONNECT", "http://a/"], /--method: received "CONNECT"/],
    ["a page that is the URL", ["--html", "http://a/", "http://a/"], /--html: received "http:\/\/a\/"/],
    ["a page on standard output", ["--html", "-", "http://a/"], /--html: received "-"; expected the name of a file/],
    ["statuses that are none", ["--expect-status", "4xx", "http://a/"], /--expect-status: received "4xx"/],
    ["a certificate that is none", ["--cert", "/dev/null", "http://a/"], /has no PEM block/],
    ["a key alone", ["--key", "x", "http://a/"], /--key: received without --cert/],
    ["the origin twice", ["--origin", "http://a/", "--via", "http://a/", "http://a/"], /they are the same option/],
    ["an unknown exchange", ["--only", "plain,foo", "http://a/"], /--only: received "foo"; expected some of plain,/],
    ["an own Expect", ["-H", "Expect: x", "http://a/"], /--header: received "Expect"/],
    ["a line break in a field", ["-H", "A: b\r\nC: d", "http://a/"], /line break in A/],
    ["a field without a name", ["-H", "no colon", "http://a/"], /expected 'Name: value'/],
    ["a size that is none", ["--size", "10 apples", "http://a/"], /--size: received "10 apples"/],
    ["size and data", ["--size", "1", "--data", "x", "http://a/"], /received both/],
    ["a file that is not there", ["--data", "@/nonexistent", "http://a/"], /ENOENT/],
    ["a timeout of 0", ["--timeout", "0", "http://a/"], /--timeout: received "0"; expected seconds, up to 600/],
    ["a user without password", ["--user", "aladdin", "http://a/"], /--user: received no colon/],
    ["a bad --resolve", ["--resolve", "a", "http://a/"], /HOST:PORT:ADDRESS/],
    ["--proxy-user alone", ["--proxy-user", "a:b", "http://a/"], /received without --proxy/],
    ["a method that is none", ["-X", "PUT /", "http://a/"], /--method/],
  ])("%s", async (_, args, says) => {
    const { code, stdout, stderr } = await runProbe(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test.concurrent("--help prints the options and the exchanges' names", async () => {
    const { code, stdout } = await runProbe(["--help"]);
    expect(code).toBe(0);
    for (const id of EXCHANGE_IDS) expect(stdout).toContain(id);
  });
});
