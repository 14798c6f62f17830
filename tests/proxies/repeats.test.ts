import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as http from "node:http";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { admission, attach, expectations, type Policy, refuse, silent } from "../../src/index.js";
import { closeServers, type Handler, listen, plainApp } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

// Some proxies take seconds to start.
jest.setTimeout(60_000);

const SERVE: string = path.resolve(__dirname, "suite/serve.mjs");

interface Setup {
  readonly name: string;
  readonly file: string;
  readonly skipped?: string;
}

/** The configurations in examples/, with what this machine lacks for one. */
const SETUPS: Setup[] = JSON.parse(execFileSync(process.execPath, [SERVE, "--list"]).toString());

/** A proxy with a configuration of examples/, in a process of its own. */
class ProxyProcess {
  private constructor(
    readonly port: number,
    readonly child: ChildProcess,
  ) {}

  static async start({ name }: Setup, origin: number, admissionPort: number): Promise<ProxyProcess> {
    const args = [SERVE, name, String(origin), String(admissionPort)];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    const [line] = await Promise.race([
      once(child.stdout as NodeJS.ReadableStream, "data"),
      once(child, "exit").then(() => ["the proxy does not start"]),
    ]);
    const port = /^port (\d+)/.exec(String(line))?.[1];
    if (port === undefined) throw new Error(String(line));
    return new ProxyProcess(Number(port), child);
  }

  async stop(): Promise<void> {
    const exited = once(this.child, "exit");
    this.child.stdin?.end();
    await exited;
  }
}

const TAIL = "GET /executed HTTP/1.1\r\nHost: test\r\n\r\n";

/** The head of an upload. A repeated one has no `Expect`, as with curl after a 417. */
function head(status: number, length: number, expectation: string): string {
  // A field for the tail to fit into.
  const fields = `Content-Length: ${length}\r\n${expectation}X-Fill: ${"x".repeat(TAIL.length)}\r\n`;
  return `PUT /early/${status} HTTP/1.1\r\nHost: test\r\n${fields}\r\n`;
}

/**
 * A file with a request at its end. A server that still waits for `length` bytes of content takes the repeated head and
 * most of the file for them, and reads that request next.
 */
function fileFor(repeated: string, length: number): string {
  const start = length - repeated.length;
  return "x".repeat(start) + TAIL.padEnd(repeated.length, "\n");
}

describe.each(SETUPS)("$name", (setup) => {
  if (setup.skipped !== undefined) {
    process.stderr.write(`skipped: ${setup.file}: ${setup.skipped}\n`);
    test.skip(setup.skipped, () => {});
    return;
  }

  let proxy: ProxyProcess;
  let executed: string[] = [];
  let clients: WireClient[] = [];

  async function open(): Promise<WireClient> {
    const client = await WireClient.connect(proxy.port);
    clients.push(client);
    return client;
  }

  beforeAll(async () => {
    const refusal: Policy = ({ url }) => {
      const status = Number(/^\/early\/(\d+)$/.exec(url ?? "")?.[1] ?? 200);
      return status === 200 || refuse(status);
    };
    // Reads nothing: the response is early.
    const answer: Handler = (req, res) => {
      executed.push(`${req.method} ${req.url}`);
      res.end("answered");
    };
    const guard = expectations({ policies: [refusal], logger: silent }) as Handler;
    const origin = await listen(attach(http.createServer(plainApp({ use: [guard, answer] })), { logger: silent }));
    const statuses = setup.name.startsWith("nginx") ? "nginx" : "verbatim";
    const endpoint = admission({ trustProxy: "loopback", policies: [refusal], statuses, logger: silent });
    const asked = await listen(http.createServer(endpoint));
    proxy = await ProxyProcess.start(setup, origin.port, asked.port);
  });
  afterEach(() => {
    for (const client of clients) client.destroy();
    clients = [];
    executed = [];
  });
  afterAll(async () => {
    await proxy?.stop();
    await closeServers();
  });

  describe.each([200, 403, 417])("an upload that is answered with %i before its content", (status) => {
    /** Nothing but the uploads themselves ran, and other clients are served. */
    async function expectNothingElse(after: string): Promise<void> {
      // No proxy has it in its cache.
      expect(await (await open()).answersNext(after)).toBe(true);
      expect(executed).toContain(`GET ${after}`);
      expect(executed).not.toContain("GET /executed");
    }

    test.each([2_000, 300_000])(
      "and repeated on the connection has no part of its %i bytes executed",
      async (length) => {
        const wire = await open();
        wire.send(head(status, length, "Expect: 100-continue\r\n"));
        await wire.until("an answer", () => wire.responses.length > 0);
        const repeated = head(status, length, "");
        const file = fileFor(repeated, length);
        // The proxy's own 100: it waits for the content, and gets it.
        if (wire.statuses[0] === 100) wire.send(file);
        await wire.final();
        // Sent whatever the answer says about the connection.
        wire.send(repeated, file);
        await wire.until("another answer, or the end", () => wire.finals.length > 1 || wire.hasFin || wire.isClosed);
        await expectNothingElse(`/repeated/${status}/${length}`);
      },
    );

    test.each([
      ["with", "Expect: 100-continue\r\n"],
      ["without", ""],
    ])("while its content is under way has no part of it executed (%s Expect)", async (what, expectation) => {
      const wire = await open();
      const length = 2_000;
      wire.send(head(status, length, expectation));
      // Some proxies answer behind the content.
      await wire.until("an answer", () => wire.responses.length > 0, 500).catch(() => {});
      wire.send(TAIL.padEnd(length, "\n"));
      await wire.final();
      // Either the connection ends, or the next request on it is answered.
      await wire.answersNext(`/same/${status}/${what}`);
      await expectNothingElse(`/under-way/${status}/${what}`);
    });
  });
});
