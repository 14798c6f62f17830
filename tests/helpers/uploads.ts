import { createHash } from "node:crypto";
import { type UploadOptions, type UploadResult, upload } from "../../src/client/client.js";
import { type Misbehaving, misbehave } from "../../src/testing/testing.js";
import type { Handler, RunningServer } from "./servers.js";

/** Certificates of tests sign themselves. */
const INSECURE = { rejectUnauthorized: false };

/** Uploads to a server of tests/helpers/servers.ts. */
export function put({ port, isTls }: RunningServer, path: string, options: UploadOptions = {}): Promise<UploadResult> {
  return upload(`${isTls ? "https" : "http"}://127.0.0.1:${port}${path}`, { tls: INSECURE, ...options });
}

const misbehaving = new Set<Misbehaving>();

/** Starts a server that misbehaves; ended by {@link closeMisbehaving}. */
export async function startMisbehaving(behaviour?: Parameters<typeof misbehave>[0]): Promise<Misbehaving> {
  const server = await misbehave(behaviour);
  misbehaving.add(server);
  return server;
}

/** For `afterEach`. */
export async function closeMisbehaving(): Promise<void> {
  await Promise.all([...misbehaving].map((server) => server.close()));
  misbehaving.clear();
}

/** Reads the whole content and answers 201 with its digest. */
export const digest: Handler = (req, res) => {
  const sha256 = createHash("sha256");
  req.on("data", (chunk: Buffer) => sha256.update(chunk));
  req.on("end", () => {
    res.statusCode = 201;
    res.end(sha256.digest("hex"));
  });
};

export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
