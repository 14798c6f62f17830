import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { curl, missing, ProxyProgram } from "../proxies/programs.js";
import { Checkout } from "./checkout.js";

// Builds the package first.
jest.setTimeout(60_000);

const absent = missing("nginx", "curl");

(absent.length > 0 ? describe.skip : describe)("nginx-auth-request", () => {
  let checkout: Checkout;
  let proxy: ProxyProgram;
  let origin: number;

  beforeAll(async () => {
    checkout = await Checkout.make();
    await checkout.build();
    const program = checkout.start(["examples/nginx-auth-request/server.mjs", "0", "0"]);
    origin = await program.port();
    const admission = Number((await program.printed(/asked by the proxy on 127\.0\.0\.1:(\d+)/))[1]);
    proxy = await ProxyProgram.nginx({ origin, admission });
    await fs.writeFile(path.join(checkout.folder, "photo"), Buffer.alloc(100_000, 7));
    await fs.writeFile(path.join(checkout.folder, "large"), Buffer.alloc(2 ** 21 + 1));
  });
  afterAll(async () => {
    await proxy?.stop();
    await checkout.remove();
  });

  const upload = (port: number, file: string, token: string, type = "image/png") =>
    curl(`http://127.0.0.1:${port}/images/1`, [
      ...["-T", path.join(checkout.folder, file), "-H", `Content-Type: ${type}`, "-H", "Expect: 100-continue"],
      ...(token === "" ? [] : ["-H", `Authorization: Bearer ${token}`]),
    ]);

  test.each(["the proxy", "the origin"])("answers at %s as its README says", async (where) => {
    const port = where === "the proxy" ? proxy.port : origin;
    const accepted = await upload(port, "photo", "open-sesame");
    expect(accepted.status).toBe(201);
    expect(JSON.parse(accepted.body)).toEqual({
      id: "1",
      bytes: 100_000,
      sha256: createHash("sha256").update(Buffer.alloc(100_000, 7)).digest("hex"),
    });
    expect(await upload(port, "photo", "")).toMatchObject({ status: 401, sent: 0 });
    expect(await upload(port, "photo", "used-up")).toMatchObject({ status: 429, sent: 0 });
    expect(await upload(port, "photo", "open-sesame", "text/plain")).toMatchObject({ status: 415, sent: 0 });
    expect(await upload(port, "large", "open-sesame")).toMatchObject({ status: 413, sent: 0 });
  });
});
