import { afterAll, expect, test } from "@jest/globals";
import { codesOf, probeJson } from "./command.js";
import { CONTINUE, closePeers, response, type Served, startPeer } from "./peer.js";

afterAll(closePeers);

const REFUSAL = response("415 Unsupported Media Type", ["Connection: close"]);

function refuses(served: Served): boolean {
  if (!served.head.hasContent || served.head.expect?.includes("unknown")) return false;
  served.end(REFUSAL);
  return true;
}

/** Sends a 100 of its own before the refusal or behind it, whatever `isFirst` says. */
function races(isFirst: (served: Served) => boolean) {
  return (served: Served): boolean => {
    if (!served.isFor("100-continue") || served.head.version !== "1.1") return refuses(served);
    served.end(...(isFirst(served) ? [CONTINUE, REFUSAL] : [REFUSAL, CONTINUE]));
    return true;
  };
}

test("a 100 of the proxy's own is seen where it loses the race with the origin's refusal", async () => {
  const [origin, proxy] = [await startPeer(refuses), await startPeer(races(() => false))];
  const result = await probeJson("--only", "plain,withheld", "--via", origin.url, proxy.url);
  expect(codesOf(result)).toEqual(["continue-after-final", "proxy-continue"]);
  expect(result.findings.map(({ hop }) => hop)).toEqual(["proxy", "proxy"]);
});

test("a 100 that races is not taken for a question of letter case", async () => {
  const { url } = await startPeer(races(({ head }) => head.expect === "100-CONTINUE"));
  const result = await probeJson("--only", "plain,withheld,case", url);
  expect(codesOf(result)).toEqual(["blind-continue", "continue-after-final"]);
});

test("a near-miss that is accepted is a note, unless the origin refuses what the proxy accepts", async () => {
  const lax = (served: Served) => {
    if (!served.isFor("y 100-continue")) return false;
    served.send(CONTINUE);
    return true;
  };
  const [origin, proxy] = [await startPeer(), await startPeer(lax)];
  const only = ["--only", "plain,withheld,near-space"];
  const alone = await probeJson(...only, proxy.url);
  expect(alone.findings).toMatchObject([{ code: "near-miss-accepted", severity: "note", hop: "endpoint" }]);
  expect(alone.verdict.exitCode).toBe(0);
  const before = await probeJson(...only, "--via", origin.url, proxy.url);
  expect(before.findings).toMatchObject([{ code: "near-miss-accepted", severity: "warning", hop: "proxy" }]);
  expect(before.verdict.exitCode).toBe(1);
});
