import { existsSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { expectations, maxSize, silent } from "../../src/index.js";
import { closeServers, type Handler, startAttached, store } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";
import { ProxyProgram } from "./programs.js";

const RULES = "/usr/share/modsecurity-crs/owasp-crs.load";
const isMissing = !existsSync(RULES);
if (isMissing) process.stderr.write("skipped: libapache2-mod-security2 and modsecurity-crs not installed\n");

let proxy: ProxyProgram;
let asked: string[] = [];
let clients: WireClient[] = [];

beforeAll(async () => {
  if (isMissing) return;
  const guard = expectations({ policies: [maxSize("1mb")], logger: silent });
  const note: Handler = (req, _res, next) => {
    asked.push(req.url ?? "");
    next();
  };
  const use = [note, guard];
  const routes = { "/files/a": store, "/elsewhere": store };
  const { port } = await startAttached("node:http", { use, routes }, { logger: silent });
  proxy = await ProxyProgram.modSecurity({ origin: port });
});
afterEach(() => {
  for (const client of clients) client.destroy();
  clients = [];
  asked = [];
});
afterAll(async () => {
  await proxy?.stop();
  await closeServers();
});

async function put(path: string, length: number, ...fields: string[]): Promise<WireClient> {
  const wire = await WireClient.connect(proxy.port);
  clients.push(wire);
  const own = ["Host: uploads.example", "User-Agent: test", "Content-Type: text/plain", `Content-Length: ${length}`];
  wire.send([`PUT ${path} HTTP/1.1`, ...own, ...fields, "", ""].join("\r\n"));
  return wire;
}

/** Sends the content if somebody asks for it. */
async function upload(path: string, ...fields: string[]): Promise<WireClient> {
  const wire = await put(path, 5, ...fields);
  await wire.until("an answer", () => wire.statuses.length > 0);
  if (wire.statuses[0] === 100) wire.send("hello");
  await wire.final();
  return wire;
}

(isMissing ? describe.skip : describe)("the rules of examples/behind-modsecurity", () => {
  test.each(["Expect: 100-continue", "expect: 100-Continue"])(
    "let %s through on the paths of uploads, and the 100 is the application's",
    async (field) => {
      expect((await upload("/files/a", field)).statuses).toEqual([100, 201]);
      expect(asked).toEqual(["/files/a"]);
    },
  );

  test("leave the refusal to the application, before any content", async () => {
    const wire = await put("/files/a", 2 ** 20 + 1, "Expect: 100-continue");
    expect((await wire.final()).status).toBe(413);
    expect(wire.statuses).toEqual([413]);
  });

  test.each([
    ["another expectation", ["Expect: tea"]],
    ["another one beside it", ["Expect: 100-continue, tea"]],
    ["what only looks like it", ["Expect: y 100-continue"]],
    ["a parameter", ["Expect: 100-continue;a=b"]],
    ["a second field", ["Expect: 100-continue", "Expect: 100-continue"]],
    ["nothing in it", ["Expect:"]],
  ])("refuse %s, and the application is not asked", async (_name, fields) => {
    const wire = await put("/files/a", 5, ...fields);
    wire.send("hello");
    expect([403, 417]).toContain((await wire.final()).status);
    expect(asked).toEqual([]);
  });

  test("forbid the field on other paths, and let uploads without it pass there", async () => {
    expect((await upload("/elsewhere", "Expect: 100-continue")).statuses.at(-1)).toBe(403);
    expect(asked).toEqual([]);
    const plain = await put("/elsewhere", 5);
    plain.send("hello");
    expect((await plain.final()).status).toBe(201);
  });

  test("forbid the other restricted fields on the paths of uploads as before", async () => {
    const wire = await put("/files/a", 5, "Expect: 100-continue", "Content-Range: bytes 0-4/5");
    expect((await wire.final()).status).toBe(403);
    expect(asked).toEqual([]);
  });
});
