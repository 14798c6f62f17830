import { createServer, type RequestListener, type Server } from "node:http";
import { afterEach, expect, test } from "@jest/globals";
import { attach, expectations, refuse, silent } from "../../src/index.js";
import { closeServers, type Handler, listen, startAttached, store } from "../helpers/servers.js";
import { PLAIN, UPLOAD, WireClient } from "../helpers/wire.js";

afterEach(closeServers);

const others = [
  ["upgrade", "GET / HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n"],
  ["connect", "CONNECT test:443 HTTP/1.1\r\nHost: test\r\n\r\n"],
] as const;

async function serve(event: "upgrade" | "connect", handlers: Handler[]) {
  let taken = 0;
  const { port, server } = await startAttached("node:http", { routes: { "/files": handlers } }, { logger: silent });
  (server as Server).on(event, (_req, socket) => {
    taken++;
    socket.destroy();
  });
  return { wire: await WireClient.connect(port), taken: () => taken };
}

test.each(others)("%s: none behind a refusal reaches anybody", async (event, request) => {
  const guard = expectations({ logger: silent, policies: [() => refuse(403)] }) as Handler;
  const { wire, taken } = await serve(event, [guard, store]);
  wire.send(`${UPLOAD}hello${request}`);
  await wire.final();
  await wire.closed();
  expect(taken()).toBe(0);
  expect(wire.statuses).toEqual([403]);
});

test.each(others)("%s: none behind a last response that is not at its end reaches anybody", async (event, request) => {
  const slow: Handler = (req, res) => {
    res.writeHead(200).write("begun");
    // By then the rest of the packet is parsed.
    req.on("data", () => {}).on("end", () => setImmediate(() => res.end(" and done")));
  };
  const { wire, taken } = await serve(event, [slow]);
  wire.send(PLAIN);
  await wire.until("the response has begun", () => wire.text.includes("begun"));
  wire.send(`hello${request}`);
  await wire.fin();
  expect(taken()).toBe(0);
  expect(wire.statuses).toEqual([200]);
  expect(wire.text).toContain(" and done");
});

test("a request that asks for an upgrade does not wait for itself at the gate of a server behind the server", async () => {
  const inner = attach(createServer(store as RequestListener), { logger: silent });
  const outer = createServer((req, res) => void inner.emit("request", req, res));
  const { port } = await listen(attach(outer, { logger: silent }));
  const wire = await WireClient.connect(port);
  wire.send(
    "PUT /files HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nhello",
  );
  expect(await wire.final()).toMatchObject({ status: 201, body: "stored 5" });
});
