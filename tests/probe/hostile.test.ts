import type { Socket } from "node:net";
import * as tls from "node:tls";
import { afterAll, describe, expect, test } from "@jest/globals";
import { TEST_CERT, TEST_KEY } from "../helpers/certificate.js";
import { deadline } from "../helpers/deadline.js";
import { probeJson, runProbe } from "./command.js";
import { CONTINUE, closePeers, listenRaw, response, startPeer } from "./peer.js";

afterAll(closePeers);

const UNREACHABLE = 3;

/** Servers that are none. */
const HOSTILE: Record<string, { readonly serve: (socket: Socket) => void; readonly says: RegExp }> = {
  "says nothing": { serve: () => {}, says: /accepts the connection and says nothing for 1000 ms/ },
  "closes at once": { serve: (socket) => void socket.end(), says: /closes the connection without a response/ },
  "resets at once": {
    serve: (socket) => void socket.once("data", () => socket.resetAndDestroy()),
    says: /closes the connection without a response/,
  },
  "sends garbage": {
    serve: (socket) => void socket.write("\x1b[2Jgarbage\x07\r\n\r\n"),
    says: /the response is not HTTP: this is not HTTP; it begins with: \\x1b\[2Jgarbage\\x07/,
  },
  "sends headers without end": {
    serve: (socket) => void forEver(socket, "X-More: more\r\n", "HTTP/1.1 200 OK\r\n"),
    says: /a header section longer than 65536 bytes/,
  },
  "sends interim responses without end": {
    serve: (socket) => void forEver(socket, CONTINUE),
    says: /more than 16 interim responses/,
  },
  "stops in the middle of a header section": {
    serve: (socket) => void socket.write("HTTP/1.1 200 OK\r\nX-"),
    says: /says nothing for 1000 ms/,
  },
  "has a status line that is none": {
    serve: (socket) => void socket.write("HTTP/1.1 abc\r\n\r\n"),
    says: /a status line that is none/,
  },
};

function forEver(socket: Socket, text: string, first = ""): void {
  socket.write(first);
  const more = () => {
    while (socket.writable && socket.write(text.repeat(100)));
  };
  socket.on("drain", more);
  more();
}

describe("a server that", () => {
  test.concurrent.each(Object.entries(HOSTILE))("%s ends in time, with a reason", async (_, { serve, says }) => {
    const { url } = await listenRaw(serve);
    const from = performance.now();
    const { code, stdout, stderr } = await runProbe(["--yes", "--timeout", "1", url]);
    expect(performance.now() - from).toBeLessThan(deadline(8_000));
    expect({ code, stderr }).toEqual({ code: UNREACHABLE, stderr: "" });
    expect(stdout).toMatch(/^UNREACHABLE {2}/);
    expect(stdout.split("\n", 1)[0]).toMatch(says);
    expect(stdout).not.toMatch(/^\s+at /m);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that must not be there
    expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  });

  test.concurrent("turns hostile in the middle is a finding, and ends in time", async () => {
    const { url } = await startPeer((served) => {
      if (!served.isFor("100-continue")) return false;
      forEver(served.socket, CONTINUE);
      return true;
    });
    const result = await probeJson("--timeout", "0.5", url);
    expect(result.findings.map(({ code }) => code)).toEqual(expect.arrayContaining(["malformed", "double-continue"]));
    expect(result.durationMs).toBeLessThan(deadline(8_000));
  });

  test.concurrent("never answers takes no longer than its stated timeouts", async () => {
    const { url } = await listenRaw(() => {});
    const seconds = String(deadline(300) / 1_000);
    const result = await probeJson("--yes", "--timeout", seconds, "--only", "withheld,late,pushed,chunked,http10", url);
    const stated = result.target.exchanges.reduce((sum, { timeoutMs }) => sum + timeoutMs, 0);
    expect(result.durationMs).toBeLessThan(stated);
    expect(result.findings.map(({ code }) => code)).toEqual(["no-continue", "upload-hangs"]);
  });
});

describe("a host that cannot be reached", () => {
  const expectReason = async (args: string[], says: RegExp) => {
    const { code, stdout, stderr } = await runProbe(args);
    expect({ code, stderr }).toEqual({ code: UNREACHABLE, stderr: "" });
    expect(stdout).toMatch(says);
    expect(stdout).not.toMatch(/^\s+at /m);
  };

  test("a port where nobody listens", async () => {
    const peer = await listenRaw(() => {});
    await peer.close();
    await expectReason([peer.url], /refuses the connection: nothing listens there/);
  });

  test("a name that nobody knows", () => expectReason(["http://nobody.invalid/"], /cannot be resolved/));

  test("a server without TLS", async () => {
    const { port } = await listenRaw(
      (socket) => void socket.once("data", () => socket.end(response("400 Bad Request"))),
    );
    await expectReason([`https://127.0.0.1:${port}/`], /speaks no TLS on this port/);
  });

  test("a server that says nothing in the TLS handshake", async () => {
    const { port } = await listenRaw(() => {});
    await expectReason(["--timeout", "0.3", `https://127.0.0.1:${port}/`], /no TLS handshake with 127\.0\.0\.1 within/);
  });

  test("a URL without TLS where TLS is spoken", async () => {
    const { url } = await listenRaw((socket) => void socket.write("\x15\x03\x01\x00\x02\x02\x46", "latin1"));
    await expectReason([url], /this is TLS, not HTTP: the URL should begin with https/);
  });

  test("a certificate that nobody vouches for, and one for another name", async () => {
    const server = tls.createServer({ key: TEST_KEY, cert: TEST_CERT }, (socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end(response("200 OK", ["Connection: close"])));
    });
    server.on("tlsClientError", () => {});
    server.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    try {
      await expectReason([`https://localhost:${port}/`], /the certificate of localhost does not hold: .*--insecure/);
      const { code } = await runProbe(["--insecure", "--only", "plain", `https://localhost:${port}/`]);
      expect(code).toBe(0);
    } finally {
      server.close();
    }
  });
});

/** Fields that are credentials somewhere, and whose names do not say so. */
const OTHER_CREDENTIALS = [
  ...["X-Auth-Key", "X-Auth", "X-JWT", "Ocp-Apim-Subscription-Key", "X-Functions-Key", "Cf-Access-Client-Id", "X-One"],
].flatMap((name) => ["-H", `${name}: t0ken-t0ken-of-${name}`]);

describe("what the peer sends", () => {
  test("control characters are escaped, in the report and in the JSON", async () => {
    const { url } = await startPeer((served) => {
      if (!served.isFor("100-continue")) return false;
      served.end(
        response("417 \x1b[31mNo\x9b", ["Connection: close", "Server: a\x08\x7f\xe2\x80\xae"], "\x1b]0;title\x07"),
      );
      return true;
    });
    for (const args of [
      ["--verbose", url],
      ["--json", url],
    ]) {
      const { stdout } = await runProbe(args);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that must not be there
      expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
      expect(stdout).toContain("x1b[31mNo");
    }
  });

  test("a peer that sends credentials back does not get them into any output", async () => {
    const secrets = [
      "opensesame",
      Buffer.from("aladdin:opensesame").toString("base64"),
      "aladdin",
      "c00kie",
      "t0ken-t0ken",
    ];
    const { url } = await startPeer((served) => {
      const echo = served.head.text.replaceAll("\r\n", " | ");
      served.end(response("403 Forbidden", ["Connection: close", `X-Echo: ${echo}`, "Set-Cookie: id=s3cret"], echo));
      return true;
    });
    const args = [
      "--user",
      "aladdin:opensesame",
      "-H",
      "Cookie: id=c00kie; x=c00kie2",
      "-H",
      "X-Api-Key: t0ken-t0ken",
      ...OTHER_CREDENTIALS,
    ];
    const named = `${url}?token=t0ken-t0ken`.replace("http://", "http://aladdin:opensesame@");
    for (const target of [[...args, url], [named]]) {
      for (const format of [["--verbose"], ["--json"], ["--quiet"]]) {
        const { stdout, stderr } = await runProbe([...format, "--yes", ...target]);
        for (const secret of [...secrets, "s3cret"]) expect(stdout + stderr).not.toContain(secret);
      }
    }
  });
});
