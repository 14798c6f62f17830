import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import * as http from "node:http";
import type { Socket } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { buildSync } from "esbuild";
import express from "express";
import { RateLimiterMemory } from "rate-limiter-flexible";
import {
  attach,
  authorize,
  expectations,
  maxSize,
  mediaTypes,
  type Policy,
  preflight,
  quota,
  refuse,
  silent,
} from "../../src/index.js";
import { whyMissing } from "../helpers/clients.js";
import { deadline } from "../helpers/deadline.js";
import { closeServers, listen } from "../helpers/servers.js";

// Without a driver: the page itself runs the uploads, and reports to the server.

jest.setTimeout(deadline(60_000));

const FIREFOX = process.env.FIREFOX ?? "firefox-esr";
const reason = whyMissing(FIREFOX, "--version");
if (reason !== undefined) process.stdout.write(`skipped: ${reason}\n`);

const MEBIBYTE = 2 ** 20;
const HEAD_BYTES = 32 * 1024;
const key = () => "all";

const closed = refuse(403, { reason: "closed a moment ago" });
let hasBegun = false;

// Firefox loses the refusal of content that it has not sent to its end. The second question is what tells the reason.
const cutOff: Policy = (_req, upload) => {
  if (upload.isPreflight) return hasBegun ? closed : true;
  hasBegun = true;
  upload.limitBytes(8 * MEBIBYTE, closed);
  return true;
};

/** By the path of the upload. */
const POLICIES: Record<string, Policy> = {
  large: maxSize("100mb"),
  type: mediaTypes(["video/*"]),
  credentials: authorize(() => false, { challenge: "Bearer" }),
  quota: quota({ limiter: new RateLimiterMemory({ points: MEBIBYTE, duration: 60 }), key }),
  accepted: maxSize("300mb"),
  unasked: maxSize("300mb"),
  cut: cutOff,
};

const PAGE = `<!doctype html><script type="module">
import { upload } from "/upload.js";
const piece = new Uint8Array(${MEBIBYTE}).fill(7);
const file = new File(Array(200).fill(piece), "photo.png", { type: "image/png" });
const results = {};
for (const name of ${JSON.stringify(Object.keys(POLICIES))}) {
  const before = Number(await (await fetch("/read")).text());
  const progress = [];
  const startedAt = performance.now();
  const { body, ...result } = await upload("/" + name, file, { onProgress: (sent) => progress.push(sent) })
    .catch((error) => ({ reason: String(error) }));
  const tookMs = performance.now() - startedAt;
  const read = Number(await (await fetch("/read")).text()) - before;
  results[name] = { ...result, tookMs, read, body, progress };
}
await fetch("/report", { method: "POST", body: JSON.stringify(results) });
</script>`;

interface Result {
  readonly status?: number;
  readonly isSent?: boolean;
  readonly reason?: string;
  readonly tookMs: number;
  readonly read: number;
  readonly body: string;
  readonly progress: readonly number[];
}

(reason === undefined ? describe : describe.skip)(
  `Firefox${reason === undefined ? "" : ` (skipped: ${reason})`}`,
  () => {
    let firefox: ChildProcess | undefined;
    let profile: string;
    let results: Record<string, Result>;

    beforeAll(async () => {
      const app = express();
      const sockets: Socket[] = [];
      for (const [name, policy] of Object.entries(POLICIES)) {
        const guard = expectations({ logger: silent, policies: [policy] });
        if (name !== "unasked") app.options(`/${name}`, preflight(guard));
        app.put(`/${name}`, guard, (req, res) => {
          const hash = createHash("sha256");
          req.on("error", () => {});
          req.on("data", (chunk) => hash.update(chunk));
          req.on("end", () => void res.status(201).send(hash.digest("hex")));
        });
      }
      const entryPoints = [path.resolve(__dirname, "../../src/browser/upload.ts")];
      const [module] = buildSync({ entryPoints, bundle: true, minify: true, format: "esm", write: false }).outputFiles;
      app.get("/", (_req, res) => void res.type("html").send(PAGE));
      app.get("/upload.js", (_req, res) => void res.type("js").send(module!.text));
      app.get(
        "/read",
        (_req, res) => void res.send(String(sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0))),
      );
      const reported = new Promise<Record<string, Result>>((resolve, reject) => {
        app.post("/report", express.text({ type: "*/*" }), (req, res) => {
          res.end();
          resolve(JSON.parse(req.body));
        });
        setTimeout(() => reject(new Error("Firefox has not reported")), deadline(50_000)).unref();
      });
      const server = attach(http.createServer(app), { logger: silent, lingerMs: 1_000 });
      server.on("connection", (socket: Socket) => sockets.push(socket));
      const { port } = await listen(server);
      profile = mkdtempSync(path.join(os.tmpdir(), "expectations-firefox-"));
      const args = ["--headless", "--no-remote", "--profile", profile, `http://127.0.0.1:${port}/`];
      firefox = spawn(FIREFOX, args, { env: { ...process.env, HOME: profile }, stdio: "ignore", detached: true });
      results = await reported;
    });
    afterAll(async () => {
      // Its processes are a group of their own.
      if (firefox?.pid !== undefined) process.kill(-firefox.pid, "SIGKILL");
      await closeServers();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    });

    test.each([
      ["large", 413, "larger than 104857600 bytes"],
      ["type", 415, "the media type is none of video/*"],
      ["credentials", 401, "credentials are required"],
      ["quota", 429, expect.stringContaining("over budget")],
    ])("is told at once, and sends nothing: %s", (name, status, why) => {
      const { tookMs, read, ...result } = results[name] as Result;
      expect(result).toMatchObject({ status, isSent: false, reason: why });
      // Without load it takes less than 200 ms. Other tests run at the same time.
      expect(tookMs).toBeLessThan(deadline(500));
      expect(read).toBeLessThan(HEAD_BYTES);
    });

    test.each(["accepted", "unasked"])("uploads byte for byte, with progress: %s", (name) => {
      const { status, body, progress } = results[name] as Result;
      const digest = createHash("sha256")
        .update(Buffer.alloc(200 * MEBIBYTE, 7))
        .digest("hex");
      expect({ status, body }).toEqual({ status: 201, body: digest });
      expect(progress.length).toBeGreaterThan(1);
      expect(progress).toEqual([...progress].sort((a, b) => a - b));
    });

    test("is told the reason of a refusal in mid-body", () => {
      expect(results.cut).toMatchObject({ status: 403, isSent: true, reason: "closed a moment ago" });
    });
  },
);
