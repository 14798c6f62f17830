import * as http from "node:http";
import { afterEach, describe, expect, test } from "@jest/globals";
import express from "express";
import { attach, expectations, maxSize, type Policy, preflight, refuse, silent } from "../../src/index.js";
import { closeServers, type Handler, listen, store } from "../helpers/servers.js";
import { codesOf, probeJson, runProbe } from "./command.js";

afterEach(closeServers);

const guardOf = (...policies: Policy[]) => expectations({ logger: silent, policies });

/** A server whose question is answered for one guard, and whose upload passes another. */
async function serve(asked: ReturnType<typeof guardOf>, passed = asked): Promise<string> {
  const app = express();
  app.options("/upload", preflight(asked));
  app.get("/upload", (_req, res) => void res.send("here"));
  app.put("/upload", passed, store as Handler);
  const { port } = await listen(attach(http.createServer(app), { logger: silent }));
  return `http://127.0.0.1:${port}/upload`;
}

describe("probe --ask", () => {
  test.each([
    ["an upload that is accepted, and one that is too large", guardOf(maxSize("1gb"))],
    ["one that is refused", guardOf(() => refuse(409))],
    ["one that is refused with 417 where it expects a 100", guardOf(() => false)],
  ])("says that the answer is that of the upload: %s", async (_name, guard) => {
    const result = await probeJson("--ask", await serve(guard));
    expect(codesOf(result)).toEqual(expect.arrayContaining(["ask-matches"]));
    expect(codesOf(result)).not.toEqual(expect.arrayContaining(["ask-differs"]));
    const asked = result.target.exchanges.find(({ id }) => id === "asked");
    expect(asked).toMatchObject({ method: "OPTIONS", announced: "none" });
    const head = asked?.events[0]?.kind === "sent" ? asked.events[0].lines : [];
    expect(head).toEqual(expect.arrayContaining(["Upload-Length: 16384", "Upload-Method: PUT"]));
  });

  test("says where they differ, and exits with 1", async () => {
    const url = await serve(
      guardOf(maxSize("1gb")),
      guardOf(() => refuse(409)),
    );
    const result = await probeJson("--ask", url);
    expect(codesOf(result)).toContain("ask-differs");
    expect(result.verdict.exitCode).toBe(1);
    const found = result.findings.find(({ code }) => code === "ask-differs");
    expect(found?.evidence.map(({ exchange }) => exchange)).toEqual(expect.arrayContaining(["asked", "withheld"]));
  });

  test("a limit that the question does not have is found by the large one", async () => {
    const url = await serve(guardOf(), guardOf(maxSize("1gb")));
    const found = (await probeJson("--ask", url)).findings.find(({ code }) => code === "ask-differs");
    expect(found?.evidence.map(({ exchange }) => exchange)).toEqual(["asked-large", "large"]);
  });

  test("shows it in one line of text", async () => {
    const { stdout } = await runProbe(["--ask", await serve(guardOf())]);
    expect(stdout).toContain("note a question gets the answer of the upload [ask-matches]");
    expect(stdout).toMatch(/asked +.*204/);
  });

  test("is left out unless it is wanted, or named", async () => {
    const url = await serve(guardOf());
    const ids = async (...args: string[]) =>
      (await probeJson(...args, "--only", "plain,withheld", url)).target.exchanges.map(({ id }) => id);
    expect(await ids()).toEqual(["plain", "withheld"]);
    expect(await ids("--ask")).toEqual(["plain", "withheld", "asked", "asked-large"]);
  });
});
