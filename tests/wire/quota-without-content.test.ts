import { afterEach, describe, expect, test } from "@jest/globals";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { expectations, quota, silent } from "../../src/index.js";
import { closeServers, type Handler, HTTP1_KINDS, isTlsKind, startAttached, store } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

afterEach(closeServers);

const KEY = "everybody";

describe.each(HTTP1_KINDS)("%s", (kind) => {
  test("a request without content costs nothing, however far over its budget the client is", async () => {
    const limiter = new RateLimiterMemory({ points: 5, duration: 60 });
    await limiter.penalty(KEY, 10);
    const guard = expectations({ logger: silent, policies: [quota({ limiter, key: () => KEY })] }) as Handler;
    const { port } = await startAttached(kind, { routes: { "/files": [guard, store] } }, { logger: silent });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send("DELETE /files HTTP/1.1\r\nHost: test\r\n\r\n");
    expect(await wire.final()).toMatchObject({ status: 201, body: "stored 0" });
    expect(await limiter.get(KEY)).toMatchObject({ consumedPoints: 10 });
    wire.send("PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\nx");
    expect((await wire.final(2)).status).toBe(429);
  });
});
