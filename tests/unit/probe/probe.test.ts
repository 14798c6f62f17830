import { describe, expect, test } from "@jest/globals";
import { bytesText } from "../../../src/pages/bytes.js";
import type { ExchangeResult, WireEvent } from "../../../src/probe/exchange-result.js";
import { FINDING_CODES } from "../../../src/probe/finding.js";
import { CATALOGUE } from "../../../src/probe/findings/catalogue.js";
import { identify } from "../../../src/probe/findings/fingerprint.js";
import { escaped, Shown, shownUrl } from "../../../src/probe/shown.js";
import { summaryOf } from "../../../src/probe/summary.js";
import { fieldOf } from "../../../src/probe/wire/header-section.js";
import { type Parsed, ResponseParser } from "../../../src/probe/wire/response-parser.js";
import fc from "../../helpers/properties.js";

function parse(...pieces: string[]): Parsed[] {
  const parser = new ResponseParser();
  return pieces.flatMap((piece) => parser.push(Buffer.from(piece, "latin1")));
}

const kinds = (parsed: Parsed[]) =>
  parsed.map((one) =>
    one.kind === "head" ? one.status : one.kind === "complete" ? `complete ${one.bytes}` : one.reason,
  );

describe("the parser of responses", () => {
  test.each<[string, string, (number | string)[]]>([
    ["a length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", [200, "complete 3"]],
    ["no content", "HTTP/1.1 204 No Content\r\n\r\n", [204, "complete 0"]],
    [
      "a 100 before",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 A\r\nContent-Length: 0\r\n\r\n",
      [100, 201, "complete 0"],
    ],
    ["a 100 behind", "HTTP/1.1 403 F\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 100 C\r\n\r\n", [403, "complete 1", 100]],
    [
      "chunks",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: 1\r\n\r\n",
      [200, "complete 3"],
    ],
    ["bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", [200, "complete 0"]],
    ["no reason phrase", "HTTP/1.1 417\r\nContent-Length: 0\r\n\r\n", [417, "complete 0"]],
    [
      "a chunk size that is none",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
      [200, "a chunk size that is none"],
    ],
    [
      "a chunk that is longer than it says",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
      [200, "a chunk that is longer than it says"],
    ],
    ["TLS", "\x15\x03\x01\x00\x02", ["this is TLS, not HTTP: the URL should begin with https://"]],
    ["SSH", "SSH-2.0-OpenSSH\r\n", ["this is SSH, not HTTP"]],
    ["HTTP/2", "\0\0\x12\x04\0", ["this is HTTP/2 without negotiation, not HTTP/1"]],
    ["a status line that is none", "HTTP/1.1 20 OK\r\n\r\n", ["a status line that is none"]],
  ])("reads %s", (_, text, expected) => {
    expect(kinds(parse(text))).toEqual(expected);
  });

  test("content without a length ends with the connection", () => {
    const parser = new ResponseParser();
    expect(kinds(parser.push(Buffer.from("HTTP/1.1 200 OK\r\n\r\nabc")))).toEqual([200]);
    expect(kinds(parser.end())).toEqual(["complete 3"]);
  });

  test("a connection that ends in the middle is told from one that ends behind", () => {
    const parser = new ResponseParser();
    parser.push(Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"));
    expect(kinds(parser.end())).toEqual(["the connection ended in the middle of a response"]);
    const whole = new ResponseParser();
    whole.push(Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"));
    expect(whole.end()).toEqual([]);
  });

  test("nothing depends on how the bytes are cut", () => {
    const text =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\nHTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno";
    const whole = parse(text);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 12 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((end, i) => text.slice(places[i], end));
        expect(parse(...pieces)).toEqual(whole);
      }),
    );
  });

  test("no bytes make it throw or hold without bound", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (chunks) => {
        const parser = new ResponseParser();
        for (const chunk of chunks) parser.push(Buffer.from(chunk));
        parser.end();
        expect(parser.rest.length).toBeLessThan(70_000);
      }),
    );
  });

  test("fields are found in any letter case, and joined", () => {
    expect(fieldOf("HTTP/1.1 200 OK\r\nVIA: a\r\nvia: b", "via")).toBe("a, b");
    expect(fieldOf("HTTP/1.1 200 OK\r\nViaduct: a", "via")).toBeUndefined();
  });
});

describe("what is shown", () => {
  test("has printable ASCII alone", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => void expect(escaped(text)).toMatch(/^[\x20-\x7e]*$/)),
    );
  });

  test.each([
    ["Authorization: Bearer x", "Authorization: [hidden]"],
    ["proxy-authorization: Basic eA==", "proxy-authorization: [hidden]"],
    ["Set-Cookie: a=b", "Set-Cookie: [hidden]"],
    ["X-Amz-Security-Token: x", "X-Amz-Security-Token: [hidden]"],
    ["PUT /a?b=c&d=e HTTP/1.1", "PUT /a?b=[hidden]&d=[hidden] HTTP/1.1"],
    ["Location: /a?code=1", "Location: /a?code=[hidden]"],
    ["X-Echo: my-secret and more", "X-Echo: [hidden] and more"],
    ["Host: example.com", "Host: example.com"],
  ])("%j becomes %j", (line, expected) => {
    expect(new Shown(["my-secret"]).line(line)).toBe(expected);
  });

  test("a URL keeps its path, and neither userinfo nor values", () => {
    expect(shownUrl(new URL("https://a:b@example.com/c?d=e#f"))).toBe("https://example.com/c?d=[hidden]");
  });

  test.each([
    [0, "0 B"],
    [1_023, "1023 B"],
    [16_384, "16 KiB"],
    [1_572_864, "1.5 MiB"],
    [10 * 2 ** 30, "10 GiB"],
  ])("%d bytes are %s", (bytes, expected) => expect(bytesText(bytes)).toBe(expected));
});

const sent = (what: "head" | "content" | "second head", atMs: number): WireEvent => ({
  kind: "sent",
  what,
  atMs,
  lines: [],
  bytes: 10,
});
const received = (status: number, atMs: number, ...lines: string[]): WireEvent => ({
  kind: "received",
  status,
  atMs,
  lines: [`HTTP/1.1 ${status} X`, ...lines],
});
const complete: WireEvent = { kind: "complete", atMs: 9, bytes: 0, sample: "" };
const end: WireEvent = { kind: "end", atMs: 9 };
const upload = { announced: 10, protocol: "HTTP/1.1" } as const;

describe("the summary of an exchange", () => {
  test.each<[string, WireEvent[], object]>([
    ["a 100", [sent("head", 1), received(100, 3)], { verdict: "continue", verdictMs: 2, continues: 1 }],
    ["nothing", [sent("head", 1)], { verdict: "none", continues: 0, isEarly: false }],
    ["an end", [sent("head", 1), end], { verdict: "ended", isReset: false }],
    [
      "an early refusal",
      [sent("head", 1), received(417, 2), complete],
      { isEarly: true, keptOpen: true, isComplete: true },
    ],
    ["one that says close", [sent("head", 1), received(417, 2, "Connection: close"), complete], { keptOpen: false }],
    ["one that closes", [sent("head", 1), received(417, 2), complete, end], { keptOpen: false }],
    ["one behind a 100", [sent("head", 1), received(100, 2), received(403, 3)], { isEarly: true, keptOpen: false }],
    [
      "one behind content",
      [sent("head", 1), sent("content", 2), received(403, 3)],
      { isEarly: false, contentBytesSent: 10 },
    ],
    ["a 100 behind it", [sent("head", 1), received(403, 2), received(100, 3)], { continues: 0, lateContinues: 1 }],
    [
      "a second request that is swallowed",
      [sent("head", 1), received(403, 2), complete, sent("second head", 3)],
      { second: "swallowed", keptOpen: true },
    ],
    [
      "a second request that is answered",
      [sent("head", 1), received(403, 2), complete, sent("second head", 3), received(200, 4)],
      { second: "answered", status: 403 },
    ],
  ])("of %s", (_, events, expected) => {
    expect(summaryOf(events, upload)).toMatchObject(expected);
  });
});

describe("programs", () => {
  const answering = (lines: string[], sample = ""): ExchangeResult => {
    const events: WireEvent[] = [received(400, 1, ...lines), { ...complete, sample }];
    return {
      id: "plain",
      title: "",
      protocol: "HTTP/1.1",
      method: "GET",
      announced: "none",
      timeoutMs: 0,
      events,
      summary: summaryOf(events, { announced: "none", protocol: "HTTP/1.1" }),
    };
  };

  test.each<[string, string[], string, string]>([
    ["nginx", ["Server: nginx/1.22.1"], "", "stated"],
    ["nginx", [], "<hr><center>nginx</center>", "likely"],
    ["Apache httpd", ["Server: Apache/2.4.66 (Debian)"], "", "stated"],
    ["HAProxy", [], "<html><body><h1>400 Bad request</h1>\\x0aYour browser sent\\x0a</body></html>\\x0a", "likely"],
    ["Caddy", ["Server: Caddy"], "", "stated"],
    ["Squid", ["X-Squid-Error: ERR_X 0"], "", "stated"],
    ["Varnish", ["Via: 1.1 varnish (Varnish/7.1)"], "", "stated"],
    ["lighttpd", ["Server: lighttpd/1.4.69"], "", "stated"],
    ["h2o", ["Server: h2o/2.2.5"], "", "stated"],
    ["Traffic Server", ["Server: ATS/9.2.0"], "", "stated"],
    ["Envoy", ["server: envoy"], "", "stated"],
    ["AWS ALB", ["Server: awselb/2.0"], "", "stated"],
    ["AWS API Gateway", ["Apigw-Requestid: x="], "", "stated"],
    ["CloudFront", ["X-Amz-Cf-Id: x"], "", "stated"],
    ["Node.js", ["Connection: keep-alive", "Keep-Alive: timeout=5"], "", "likely"],
    ["Express", ["X-Powered-By: Express"], "", "stated"],
  ])("%s by %j %j", (name, lines, sample, confidence) => {
    expect(identify([answering(lines, sample)])).toMatchObject([{ name, confidence }]);
  });

  test("none is named without a sign", () => {
    expect(identify([answering(["Date: now", "Server: homemade"])])).toEqual([]);
  });
});

test("every finding has a title, a cause, and what helps where it matters", () => {
  for (const code of FINDING_CODES) {
    const { title, cause, severity, fixes } = CATALOGUE[code];
    expect({ code, title: title.length > 10, cause: cause.length > 20 }).toEqual({ code, title: true, cause: true });
    if (severity !== "note") expect(fixes.length).toBeGreaterThan(0);
  }
});
