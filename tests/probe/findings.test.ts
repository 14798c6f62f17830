import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, test } from "@jest/globals";
import { FINDING_CODES, type FindingCode } from "../../src/probe/finding.js";
import { BEHAVIOURS } from "../../src/testing/misbehave/behaviours.js";
import { TEST_CERT, TEST_KEY } from "../helpers/certificate.js";
import { codesOf, probeJson } from "./command.js";
import { CONTINUE, closePeers, response, type Served, startPeer, type Trouble } from "./peer.js";

afterAll(closePeers);

const DEADLINE_MS = 60_000;
const CLOSE = "Connection: close";

/** What is pushed without waiting, and is more than sockets buffer. */
const PUSHED_BYTES = 1_048_576;

/** Refuses every upload but those with another expectation, as a correct server does. */
const refuses = (served: Served): boolean => {
  if (!served.head.hasContent || (served.head.expect !== undefined && !served.isFor("100-continue"))) return false;
  served.end(response("413 Content Too Large", [CLOSE]));
  return true;
};

/** Servers that misbehave in one way each. */
const TROUBLES: Partial<Record<FindingCode, { readonly trouble: Trouble; readonly args?: readonly string[] }>> = {
  "blind-continue": { trouble: BEHAVIOURS["blind-continue"] },
  "no-continue": { args: ["--timeout", "1"], trouble: BEHAVIOURS["no-continue"] },
  "no-answer": { trouble: BEHAVIOURS["no-answer"] },
  "refused-417": { trouble: BEHAVIOURS["expectation-failed"] },
  "kept-417": {
    trouble: async (served) => {
      if (!served.isFor("probe-unknown")) return false;
      served.send(response("417 Expectation Failed"));
      await served.content();
      return true;
    },
  },
  "kept-final": { args: ["--expect-status", "403,413"], trouble: BEHAVIOURS["refuse-and-keep"] },
  "refusal-reset": {
    trouble: (served) => {
      if (!served.isFor("100-continue") || served.head.length !== PUSHED_BYTES) return false;
      served.socket.write(response("413 Content Too Large", [CLOSE]), () => served.socket.resetAndDestroy());
      return true;
    },
  },
  "continue-to-http10": {
    trouble: (served) => {
      if (served.head.version === "1.0") served.send(CONTINUE);
      return false;
    },
  },
  "double-continue": { trouble: BEHAVIOURS["double-continue"] },
  "continue-after-final": { trouble: BEHAVIOURS["continue-after-final"] },
  "near-miss-accepted": { trouble: (served) => acceptsInstead(served, "y 100-continue") },
  "unknown-accepted": { trouble: (served) => acceptsInstead(served, "probe-unknown") },
  "unknown-ignored": {
    trouble: async (served) => {
      if (!served.isFor("probe-unknown")) return false;
      await served.content();
      served.send(response("201 Created"));
      return true;
    },
  },
  "refusal-after-body": { trouble: BEHAVIOURS["refuse-after-content"] },
  "slow-handshake": { trouble: BEHAVIOURS["late-continue"] },
  "auth-required": {
    trouble: (served) => {
      if (!served.head.hasContent) return false;
      served.end(response("401 Unauthorized", [CLOSE, 'WWW-Authenticate: Basic realm="x"']));
      return true;
    },
  },
  "auth-loop": {
    args: ["--user", "aladdin:opensesame"],
    trouble: (served) => {
      if (!served.head.hasContent) return false;
      served.end(response("401 Unauthorized", [CLOSE, "WWW-Authenticate: NTLM"]));
      return true;
    },
  },
  "proxy-auth": {
    trouble: (served) => {
      if (!served.head.hasContent) return false;
      served.end(response("407 Proxy Authentication Required", [CLOSE, 'Proxy-Authenticate: Basic realm="x"']));
      return true;
    },
  },
  "upload-hangs": { args: ["--timeout", "1"], trouble: BEHAVIOURS["no-final"] },
  "waf-expect": { trouble: (served) => forbidsExpect(served, response("403 Forbidden", [CLOSE])) },
  "expect-fails": { trouble: BEHAVIOURS["bad-gateway"] },
  "empty-refused": {
    trouble: (served) => {
      if (served.head.expect !== "") return false;
      served.end(response("417 Expectation Failed", [CLOSE]));
      return true;
    },
  },
  "case-sensitive": {
    trouble: (served) => {
      if (served.head.expect !== "100-CONTINUE") return false;
      served.end(response("417 Expectation Failed", [CLOSE]));
      return true;
    },
  },
  "reuse-fails": {
    args: ["--timeout", "1"],
    trouble: async (served) => {
      if (!served.isHandshake || served.head.length === PUSHED_BYTES) return false;
      served.send(CONTINUE);
      await served.content();
      served.send(response("201 Created"));
      await served.reader.head();
      return true;
    },
  },
  "ask-unanswered": { args: ["--ask"], trouble: () => false },
  "ask-matches": { args: ["--ask"], trouble: (served) => answersQuestion(served, "204 No Content", "accept") },
  "ask-differs": { args: ["--ask"], trouble: (served) => answersQuestion(served, "413 Content Too Large", "refuse") },
  malformed: { trouble: BEHAVIOURS.malformed },
  "unexpected-status": { args: ["--expect-status", "413,415"], trouble: BEHAVIOURS["not-found"] },
  "not-found": { trouble: BEHAVIOURS["not-found"] },
  "method-refused": { trouble: BEHAVIOURS["method-not-allowed"] },
  redirected: { trouble: BEHAVIOURS.redirect },
  "bad-request": { trouble: BEHAVIOURS["bad-request"] },
  forbidden: { trouble: BEHAVIOURS.forbidden },
  "server-fails": { trouble: BEHAVIOURS["server-error"] },
  "odd-status": { trouble: BEHAVIOURS["unknown-status"] },
  "early-success": { trouble: BEHAVIOURS["early-success"] },
};

function answersQuestion(served: Served, status: string, verdict: string): boolean {
  if (served.head.fields["upload-length"] === undefined) return false;
  served.send(response(status, [`Upload-Verdict: ${verdict}`]));
  return true;
}

function forbidsExpect(served: Served, forbidden: string): boolean {
  if (served.head.expect === undefined) return false;
  served.end(forbidden);
  return true;
}

async function acceptsInstead(served: Served, value: string): Promise<boolean> {
  if (!served.isFor(value)) return false;
  served.send(CONTINUE);
  await served.content();
  served.send(response("201 Created"));
  return true;
}

describe("a server that misbehaves in one way", () => {
  test.concurrent.each(Object.entries(TROUBLES))(
    "%s is found, and nothing else",
    async (code, { trouble, args = [] }) => {
      const { url } = await startPeer(trouble);
      const result = await probeJson("--yes", ...args, url);
      expect(codesOf(result)).toEqual([code]);
      const [found] = result.findings;
      expect(found?.evidence.length).toBeGreaterThan(0);
      expect(found?.evidence[0]?.lines.join("\n")).toMatch(/→ \w+ \/upload HTTP\/1\.[01]\n/);
      expect(result.verdict.exitCode).toBe(found?.severity === "note" ? 0 : 1);
      expect(result.verdict.outcome).toBe(found?.severity === "note" ? "healthy" : "findings");
    },
    DEADLINE_MS,
  );

  test.concurrent("none is found at one that does nothing wrong", async () => {
    const { url, heads } = await startPeer();
    const result = await probeJson("--yes", url);
    expect({ codes: codesOf(result), exit: result.verdict.exitCode }).toEqual({ codes: [], exit: 0 });
    expect(heads.length).toBeGreaterThan(15);
    expect(heads.length).toBeLessThanOrEqual(20);
  });

  test.concurrent("none is found where uploads are refused as they should be", async () => {
    const { url } = await startPeer((served) => {
      if (!served.head.hasContent) return false;
      served.end(response("413 Content Too Large", [CLOSE]));
      return true;
    });
    const result = await probeJson("--yes", url);
    expect({ codes: codesOf(result), headline: result.verdict.headline }).toEqual({
      codes: [],
      headline: "refused with 413 before any content was sent, as it should be",
    });
  });
});

describe("a proxy between the URL and its origin", () => {
  test.concurrent("proxy-continue: it answers the 100, the origin refuses", async () => {
    const origin = await startPeer(refuses);
    const proxy = await startPeer(async (served) => {
      if (!served.isHandshake) return refuses(served);
      served.send(CONTINUE);
      await served.content();
      served.end(response("413 Content Too Large", [CLOSE]));
      return true;
    });
    const result = await probeJson("--yes", "--via", origin.url, proxy.url);
    expect(codesOf(result)).toEqual(["proxy-continue"]);
    expect(result.findings[0]).toMatchObject({ hop: "proxy" });
    expect(result.findings[0]?.evidence.map(({ endpoint }) => endpoint)).toEqual(
      expect.arrayContaining(["target", "direct"]),
    );
  });

  test.concurrent("expect-stripped: nothing comes through it, a 100 comes without it", async () => {
    const origin = await startPeer();
    const proxy = await startPeer(async (served) => {
      if (!served.head.hasContent || served.head.version !== "1.1") return false;
      await served.content();
      served.send(response("201 Created"));
      return true;
    });
    const result = await probeJson("--yes", "--timeout", "1", "--via", origin.url, proxy.url);
    expect(codesOf(result)).toEqual(["expect-stripped"]);
  });

  test.concurrent("proxy-417: it refuses what the origin takes", async () => {
    const origin = await startPeer();
    const proxy = await startPeer((served) => {
      if (!served.isHandshake) return false;
      served.end(response("417 Expectation Failed", [CLOSE]));
      return true;
    });
    const result = await probeJson("--yes", "--via", origin.url, proxy.url);
    expect(codesOf(result)).toEqual(["proxy-417"]);
    expect(result.findings[0]?.hop).toBe("proxy");
  });

  test.concurrent("a trouble that is there without it is the origin's, another the proxy's", async () => {
    const trouble = TROUBLES["double-continue"]?.trouble as Trouble;
    const [bad, good] = [await startPeer(trouble), await startPeer()];
    const both = await probeJson("--yes", "--via", bad.url, bad.url);
    expect(both.findings.map(({ code, hop }) => [code, hop])).toEqual([["double-continue", "origin"]]);
    const one = await probeJson("--yes", "--via", good.url, bad.url);
    expect(one.findings.map(({ code, hop }) => [code, hop])).toEqual([["double-continue", "proxy"]]);
  });
});

test("h2-differs: HTTP/2 refuses what HTTP/1.1 takes", async () => {
  const server = http2.createSecureServer({ key: TEST_KEY, cert: TEST_CERT, allowHTTP1: true });
  const stores = (req: http2.Http2ServerRequest, res: http2.Http2ServerResponse) => {
    req.resume();
    req.on("end", () => res.writeHead(201).end("stored"));
  };
  server.on("request", stores);
  server.on("checkContinue", (req: http2.Http2ServerRequest, res: http2.Http2ServerResponse) => {
    if (req.httpVersionMajor === 2) return void res.writeHead(417).end("no");
    res.writeContinue();
    stores(req, res);
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const args = ["--yes", "--insecure", "--only", "plain,control,withheld,sent,h2"];
    const result = await probeJson(...args, `https://localhost:${port}/upload`);
    expect(codesOf(result)).toEqual(["h2-differs"]);
    expect(result.target.exchanges.find(({ id }) => id === "h2")?.summary).toMatchObject({
      status: 417,
      isEarly: true,
    });
  } finally {
    server.close();
  }
});

test("every finding has a server that shows it", () => {
  const elsewhere = ["proxy-continue", "expect-stripped", "proxy-417", "h2-differs"];
  expect([...Object.keys(TROUBLES), ...elsewhere].sort()).toEqual([...FINDING_CODES].sort());
});

test("a 417 that another program writes than the rest is the proxy's, as far as can be told", async () => {
  const { url } = await startPeer((served) => {
    if (!served.isHandshake) {
      if (served.head.hasContent) return false;
      served.send(response("200 OK", ["Server: nginx/1.22"]));
      return true;
    }
    served.end(response("417 Expectation Failed", [CLOSE, "Server: squid/3.1"]));
    return true;
  });
  const result = await probeJson("--yes", url);
  expect(codesOf(result)).toEqual(["proxy-417"]);
  expect(result.findings[0]?.cause).toContain('Likely so: the 417 says "Server: squid/3.1"');
});

describe("a firewall that forbids Expect", () => {
  const PAGE = "<html><head><title>403 Forbidden</title></head>This error was generated by Mod_Security.</html>";
  const forbidden = response("403 Forbidden", [CLOSE, "Server: shield/1.0"], PAGE);

  test("is told with what its page gives away", async () => {
    const { url } = await startPeer((served) => forbidsExpect(served, forbidden));
    const result = await probeJson("--yes", "--only", "plain,control,withheld", url);
    expect(codesOf(result)).toEqual(["waf-expect"]);
    const [found] = result.findings;
    expect(found?.cause).toContain('The 403 says "Server: shield/1.0", the response without Expect says none.');
    expect(found?.cause).toContain('Its page has the title "403 Forbidden".');
    expect(found?.cause).toContain("ModSecurity (likely)");
    expect(found?.evidence.map(({ exchange, isReference }) => [exchange, isReference])).toEqual([
      ["control", true],
      ["withheld", undefined],
    ]);
    expect(result.scenarios.map(({ id }) => id)).toEqual(["firewall-forbids-expect"]);
  });

  test("is told although it reads the content first, behind a 100 of its own", async () => {
    const { url } = await startPeer(async (served) => {
      if (!served.isHandshake) return false;
      served.send(CONTINUE);
      await served.content();
      served.send(forbidden);
      return true;
    });
    expect(codesOf(await probeJson("--yes", "--only", "plain,control,withheld,sent", url))).toEqual(["waf-expect"]);
  });

  test("is not told of where uploads without the field are forbidden as well", async () => {
    const { url } = await startPeer((served) => {
      if (!served.head.hasContent) return false;
      served.end(forbidden);
      return true;
    });
    expect(codesOf(await probeJson("--yes", "--only", "plain,control,withheld,sent", url))).toEqual(["forbidden"]);
  });
});
