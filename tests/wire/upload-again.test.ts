import * as http from "node:http";
import { Readable } from "node:stream";
import { afterEach, describe, expect, test } from "@jest/globals";
import { upload } from "../../src/client/client.js";
import { response } from "../../src/testing/misbehave/served.js";
import type { Behaviour, Misbehaving } from "../../src/testing/testing.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { closeServers, listen, start } from "../helpers/servers.js";
import { closeMisbehaving, digest, put, startMisbehaving } from "../helpers/uploads.js";

expectNothingDeadly();
afterEach(async () => {
  await closeServers();
  await closeMisbehaving();
});

const CLOSE = "Connection: close";

/** Answers some targets in its own way, before the content. */
function answering(
  answers: Readonly<Record<string, string | ((request: Record<string, string>) => string | undefined)>>,
): Behaviour {
  return (served) => {
    const answer = answers[served.head.target];
    const text = typeof answer === "function" ? answer(served.head.fields) : answer;
    if (text === undefined) return false;
    served.end(text);
    return true;
  };
}

const redirect = (status: string, location: string) => response(status, [CLOSE, `Location: ${location}`]);

const targetsOf = ({ heads }: Misbehaving) => heads.map(({ target }) => target);

describe("a 417", () => {
  test("is repeated once, without Expect, on another connection", async () => {
    const { url, heads } = await startMisbehaving("expectation-failed");
    const result = await upload(url, { body: "upload", headers: { "X-Name": "photo" } });
    expect(result).toMatchObject({ status: 201, attempts: 2, sentBytes: 6, waitedMs: 0 });
    expect(heads.map(({ expect: value, fields }) => [value, fields["x-name"]])).toEqual([
      ["100-continue", "photo"],
      [undefined, "photo"],
    ]);
  });

  test("is the result if the repeated upload gets it, too", async () => {
    const { url, heads } = await startMisbehaving(
      answering({ "/upload": response("417 Expectation Failed", [CLOSE]) }),
    );
    expect(await upload(url, { body: "upload" })).toMatchObject({ status: 417, attempts: 2 });
    expect(heads).toHaveLength(2);
  });

  test("is the result of a request without content", async () => {
    const { url, heads } = await startMisbehaving(
      answering({ "/upload": response("417 Expectation Failed", [CLOSE]) }),
    );
    expect(await upload(url)).toMatchObject({ status: 417, attempts: 1 });
    expect(heads).toHaveLength(1);
  });

  test("is repeated with a stream that nobody has read", async () => {
    const { url } = await startMisbehaving("expectation-failed");
    const body = Readable.from([Buffer.from("upload")]);
    expect(await upload(url, { body })).toMatchObject({ status: 201, attempts: 2, sentBytes: 6 });
  });

  test("behind the content is repeated with what can be read again, and not with a stream", async () => {
    const late: Behaviour = async (served) => {
      if (!served.isHandshake) return false;
      served.send("HTTP/1.1 100 Continue\r\n\r\n");
      await served.content();
      served.end(response("417 Expectation Failed", [CLOSE]));
      return true;
    };
    const { url } = await startMisbehaving(late);
    expect(await upload(url, { body: "upload" })).toMatchObject({ status: 201, attempts: 2 });
    const body = () => Readable.from([Buffer.from("upload")]);
    expect(await upload(url, { body })).toMatchObject({ status: 201, attempts: 2 });
    expect(await upload(url, { body: body() })).toMatchObject({ status: 417, attempts: 1, sentBytes: 6 });
  });
});

describe("a 401", () => {
  const challenge = (fields: Record<string, string>) =>
    fields.authorization === "Bearer open-sesame"
      ? undefined
      : response("401 Unauthorized", [CLOSE, 'WWW-Authenticate: Bearer realm="uploads"']);

  test("asks for credentials, and the upload is repeated with Expect", async () => {
    const { url, heads } = await startMisbehaving(answering({ "/upload": challenge }));
    const asked: unknown[] = [];
    const result = await upload(url, {
      body: "upload",
      authenticate: async ({ url: asking, headers }) => {
        asked.push(asking.pathname, headers["www-authenticate"]);
        return { Authorization: "Bearer open-sesame" };
      },
    });
    expect(result).toMatchObject({ status: 201, attempts: 2, wasContinued: true, sentBytes: 6 });
    expect(asked).toEqual(["/upload", 'Bearer realm="uploads"']);
    expect(heads.map((head) => head.expect)).toEqual(["100-continue", "100-continue"]);
  });

  test("replaces credentials that were wrong, and asks once", async () => {
    const { url, heads } = await startMisbehaving(answering({ "/upload": challenge }));
    const result = await upload(url, {
      body: "upload",
      headers: { authorization: "Bearer old" },
      authenticate: () => ({ Authorization: "Bearer wrong" }),
    });
    expect(result).toMatchObject({ status: 401, attempts: 2, sentBytes: 0 });
    expect(heads.map(({ fields }) => fields.authorization)).toEqual(["Bearer old", "Bearer wrong"]);
  });

  test("is the result if there are no credentials to give", async () => {
    const { url } = await startMisbehaving(answering({ "/upload": challenge }));
    expect(await upload(url, { body: "upload", authenticate: () => undefined })).toMatchObject({
      status: 401,
      attempts: 1,
    });
    expect(await upload(url, { body: "upload" })).toMatchObject({ status: 401, attempts: 1 });
  });

  test("is the result if the body was on its way", async () => {
    const { url } = await startMisbehaving(async (served) => {
      await served.content();
      served.end(response("401 Unauthorized", [CLOSE]));
      return true;
    });
    let asked = 0;
    const authenticate = () => {
      asked++;
      return { Authorization: "Bearer open-sesame" };
    };
    expect(await upload(url, { body: "upload", expectTimeoutMs: 50, authenticate })).toMatchObject({
      status: 401,
      attempts: 1,
    });
    expect(asked).toBe(0);
  });

  test("rejects with what the callback throws", async () => {
    const { url } = await startMisbehaving(answering({ "/upload": challenge }));
    const authenticate = () => Promise.reject(new Error("no keychain"));
    await expect(upload(url, { body: "upload", authenticate })).rejects.toThrow("no keychain");
  });

  test("credentials in the URL are sent, and are no part of the result", async () => {
    const { port, heads } = await startMisbehaving();
    const result = await upload(`http://ann:se%20cret@127.0.0.1:${port}/upload`, { body: "upload" });
    expect(heads[0]?.fields.authorization).toBe(`Basic ${btoa("ann:se cret")}`);
    expect(result.url.href).toBe(`http://127.0.0.1:${port}/upload`);
  });
});

describe("a redirect", () => {
  test.each(["307 Temporary Redirect", "308 Permanent Redirect"])(
    "with %s is followed before the body",
    async (status) => {
      const server = await startMisbehaving(answering({ "/upload": redirect(status, "/other?x=1") }));
      const result = await upload(server.url, { body: "upload", maxRedirects: 1 });
      expect(result).toMatchObject({ status: 201, attempts: 2, wasContinued: true, sentBytes: 6 });
      expect(result.url.pathname).toBe("/other");
      expect(targetsOf(server)).toEqual(["/upload", "/other?x=1"]);
      expect(server.heads.map(({ method, expect: value }) => [method, value])).toEqual([
        ["PUT", "100-continue"],
        ["PUT", "100-continue"],
      ]);
    },
  );

  test.each(["301 Moved Permanently", "302 Found", "303 See Other"])("with %s is the result", async (status) => {
    const server = await startMisbehaving(answering({ "/upload": redirect(status, "/other") }));
    expect(await upload(server.url, { body: "upload", maxRedirects: 5 })).toMatchObject({
      status: Number(status.slice(0, 3)),
      attempts: 1,
    });
  });

  test("is followed as often as asked for", async () => {
    const moved = (to: string) => redirect("307 Temporary Redirect", to);
    const server = await startMisbehaving(answering({ "/upload": moved("/a"), "/a": moved("/b"), "/b": moved("/c") }));
    expect(await upload(server.url, { body: "x" })).toMatchObject({ status: 307, attempts: 1 });
    expect(await upload(server.url, { body: "x", maxRedirects: 2 })).toMatchObject({ status: 307, attempts: 3 });
    expect(await upload(server.url, { body: "x", maxRedirects: 3 })).toMatchObject({ status: 201, attempts: 4 });
  });

  test("takes no credentials to another origin", async () => {
    const other = await startMisbehaving();
    const server = await startMisbehaving(answering({ "/upload": redirect("307 Temporary Redirect", other.url) }));
    const headers = {
      Authorization: "Bearer a",
      Cookie: "b=c",
      "Proxy-Authorization": "Basic d",
      "X-Name": "photo",
      Host: "a.test",
    };
    expect(await upload(server.url, { body: "upload", headers, maxRedirects: 1 })).toMatchObject({
      status: 201,
      attempts: 2,
    });
    const { authorization, cookie, host, "x-name": name } = other.heads[0]?.fields ?? {};
    expect([authorization, cookie, other.heads[0]?.fields["proxy-authorization"], name, host]).toEqual([
      undefined,
      undefined,
      undefined,
      "photo",
      new URL(other.url).host,
    ]);
  });

  test("from https: to http: is the result: the body would go out unencrypted", async () => {
    const plain = await startMisbehaving();
    const server = await start("node:https", {
      use: [(_req, res) => void res.writeHead(307, { Location: plain.url, Connection: "close" }).end()],
    });
    expect(await put(server, "/", { body: "upload", maxRedirects: 5 })).toMatchObject({ status: 307, attempts: 1 });
    expect(plain.heads).toEqual([]);
  });

  test("from http: to https: is followed without the agent for http:", async () => {
    const secure = await start("node:https", { routes: { "/digest": digest } });
    const server = await startMisbehaving(
      answering({ "/upload": redirect("308 Permanent Redirect", `https://127.0.0.1:${secure.port}/digest`) }),
    );
    const agent = new http.Agent({ keepAlive: true });
    const tls = { rejectUnauthorized: false };
    expect(await upload(server.url, { body: "upload", maxRedirects: 1, agent, tls })).toMatchObject({
      status: 201,
      attempts: 2,
    });
    agent.destroy();
  });

  test.each(["http://[", "ftp://127.0.0.1/", "data:,x"])("to %s is the result", async (location) => {
    const server = await startMisbehaving(answering({ "/upload": redirect("307 Temporary Redirect", location) }));
    expect(await upload(server.url, { body: "upload", maxRedirects: 5 })).toMatchObject({ status: 307, attempts: 1 });
  });
});

test("retries as SDKs make them: a 503 is repeated by the caller, each time with the whole body", async () => {
  let refusals = 2;
  const server = await listen(
    http
      .createServer((req, res) => digest(req, res, () => {}))
      .on("checkContinue", (req, res) => {
        if (refusals-- > 0) return void res.writeHead(503, { "Retry-After": "0" }).end();
        res.writeContinue();
        digest(req, res, () => {});
      }),
  );
  let opened = 0;
  const body = () => {
    opened++;
    return Readable.from([Buffer.from("upload")]);
  };
  const statuses: number[] = [];
  for (let i = 0; i < 5 && statuses.at(-1) !== 201; i++) statuses.push((await put(server, "/", { body })).status);
  expect(statuses).toEqual([503, 503, 201]);
  // Nothing was read for the uploads that were refused.
  expect(opened).toBe(1);
});
