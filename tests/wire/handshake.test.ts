import { afterEach, describe, expect, test } from "@jest/globals";
import { expectations, maxSize, silent } from "../../src/index.js";
import { closeServers, HTTP1_KINDS, isTlsKind, next, startAttached, store } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

afterEach(closeServers);

const HEAD = "PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n";

describe.each(HTTP1_KINDS)("%s", (kind) => {
  const parts = {
    use: [expectations({ policies: [maxSize("1kb")], logger: silent })],
    routes: { "/files": store, "/next": next },
  };

  async function client() {
    const { port } = await startAttached(kind, parts, { logger: silent });
    return WireClient.connect(port, { tls: isTlsKind(kind) });
  }

  test("sends one 100 when the content is read, and keeps the connection", async () => {
    const wire = await client();
    wire.send(`${HEAD}Content-Length: 5\r\n\r\n`);
    await wire.status(100);
    wire.send("hello");
    expect((await wire.final()).body).toBe("stored 5");
    expect(await wire.answersNext()).toBe(true);
    expect(wire.statuses).toEqual([100, 201, 200]);
  });

  test("refuses with 413 before a byte of content is sent, and closes", async () => {
    const wire = await client();
    wire.send(`${HEAD}Content-Length: 1025\r\n\r\n`);
    const refusal = await wire.final();
    expect(refusal).toMatchObject({ status: 413, headers: { connection: "close", "content-length": "0" } });
    await wire.fin();
    expect(wire.statuses).toEqual([413]);
  });

  test("answers a route that does not exist at once, with no 100", async () => {
    const wire = await client();
    wire.send(HEAD.replace("/files", "/nowhere"), "Content-Length: 5\r\n\r\n");
    expect(await wire.final()).toMatchObject({ status: 404, headers: { connection: "close" } });
    await wire.fin();
    expect(wire.statuses).toEqual([404]);
  });
});
