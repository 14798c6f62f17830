import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { buildSync } from "esbuild";
import { TEST_CERT, TEST_KEY } from "../helpers/certificate.js";
import { deadline } from "../helpers/deadline.js";
import { WireClient, type WireResponse } from "../helpers/wire.js";

const REPOSITORY = resolve(__dirname, "../..");
const CHILD = resolve(__dirname, "../clients/traced-server.cjs");
const EXPECT = "Expect: 100-continue\r\n";
const DEADLINE_MS = 10_000;

let folder: string;

// A build of its own: the instrumentation hooks `require`, and these tests do not wait for `npm run build`.
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "expectations-traced-"));
  const source = join(REPOSITORY, "src");
  const names = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const entryPoints = names.map((name) => join(source, name));
  buildSync({ entryPoints, outbase: source, outdir: folder, format: "cjs", target: "node20", keepNames: true });
  symlinkSync(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "tls.json"), JSON.stringify({ key: TEST_KEY, cert: TEST_CERT }));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Span {
  readonly isServer: boolean;
  readonly id: string;
  readonly parent?: string;
  readonly status: number;
  readonly target: string;
  readonly method: string;
}

/** The spans that have ended since the last report, and how many are open. */
interface Report {
  readonly spans: Span[];
  readonly open: number;
}

type Message = { port?: number; asked?: true; report?: Report };

class TracedServer {
  readonly #messages: Message[] = [];
  #wake = () => {};
  #stderr = "";
  port = 0;

  private constructor(readonly child: ChildProcess) {
    child.on("message", (message: Message) => {
      this.#messages.push(message);
      this.#wake();
    });
    child.stderr?.on("data", (chunk) => {
      this.#stderr += chunk;
    });
    child.on("exit", () => this.#wake());
  }

  static async start(protocol: string, order: string): Promise<TracedServer> {
    const args = [join(folder, "index.js"), protocol, order, join(folder, "tls.json")];
    const server = new TracedServer(fork(CHILD, args, { execArgv: [], silent: true }));
    server.port = await server.told("port");
    return server;
  }

  /** Waits for the next message of a kind. */
  async told<K extends keyof Message>(kind: K): Promise<NonNullable<Message[K]>> {
    const end = Date.now() + deadline(DEADLINE_MS);
    for (;;) {
      const at = this.#messages.findIndex((message) => message[kind] !== undefined);
      if (at >= 0) return this.#messages.splice(at, 1)[0]?.[kind] as NonNullable<Message[K]>;
      const left = end - Date.now();
      if (left <= 0 || this.child.exitCode !== null)
        throw new Error(`the child did not tell its ${kind}, exit ${this.child.exitCode}: ${this.#stderr}`);
      await new Promise<void>((wake) => {
        const timer = setTimeout(wake, left);
        this.#wake = () => {
          clearTimeout(timer);
          wake();
        };
      });
    }
  }

  async report(): Promise<Report> {
    this.child.send("report");
    return this.told("report");
  }

  /** The spans that have ended since the last report; waits for `count` of them. */
  async spans(count: number): Promise<Span[]> {
    const spans: Span[] = [];
    const end = Date.now() + deadline(1_000);
    do spans.push(...(await this.report()).spans);
    while (spans.length < count && Date.now() < end);
    // A second span for the same request would end with its response, too.
    const { spans: more, open } = await this.report();
    expect(open).toBe(0);
    return [...spans, ...more];
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const exited = new Promise((done) => this.child.once("exit", done));
    this.child.disconnect();
    await exited;
  }
}

const upload = (path: string, expectation = "") =>
  `PUT ${path} HTTP/1.1\r\nHost: test\r\n${expectation}Content-Length: 5\r\n\r\n`;
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`;

const cases = ["http", "https"].flatMap((protocol) =>
  ["before attach", "after attach"].map((order) => ({ protocol, order })),
);

describe.each(cases)("instrumentation-http on $protocol, loaded $order", ({ protocol, order }) => {
  let server: TracedServer;
  const connect = () => WireClient.connect(server.port, { tls: protocol === "https" });

  beforeAll(async () => {
    server = await TracedServer.start(protocol, order);
  });
  afterAll(() => server.stop());

  test.each([
    ["an accepted upload with Expect", upload("/files", EXPECT), 200],
    ["an upload with Expect that a guard refuses", upload("/refused", EXPECT), 403],
    ["an accepted upload without Expect", upload("/files"), 200],
    ["an upload without Expect that a guard refuses", upload("/refused"), 403],
    ["a GET", get("/files"), 200],
    ["a GET with Expect", `GET /files HTTP/1.1\r\nHost: test\r\n${EXPECT}\r\n`, 200],
  ])("%s makes one server span, in which the handler runs", async (_name, head, status) => {
    const wire = await connect();
    wire.send(head);
    if (head.startsWith("PUT")) {
      if (head.includes(EXPECT) && status === 200) await wire.status(100);
      if (!head.includes(EXPECT) || status === 200) wire.send("12345");
    }
    const final = await wire.final();
    wire.destroy();
    expect(final.status).toBe(status);
    const spans = await server.spans(1);
    expect(spans).toMatchObject([{ isServer: true, status, target: /^\w+ (\S+)/.exec(head)?.[1] }]);
    expect(spansOf(final)).toEqual(new Set([spans[0]?.id]));
  });

  test("what the server refuses by itself reaches no listener, and makes no span", async () => {
    const refused = await connect();
    refused.send(upload("/files", "Expect: the-moon\r\n"));
    expect((await refused.final()).status).toBe(417);
    refused.destroy();
    const wire = await connect();
    wire.send(get("/last"));
    await wire.final();
    wire.destroy();
    expect(await server.spans(1)).toMatchObject([{ isServer: true, method: "GET", target: "/last" }]);
  });

  test.each([
    ["in one packet", true],
    ["later", false],
  ])("a request that waits behind a pending verdict has its own span: %s", async (_name, isOnePacket) => {
    const wire = await connect();
    const behind = [upload("/held", EXPECT), "12345", get("/last")].join("");
    wire.send(isOnePacket ? `${upload("/pending")}12345${behind}` : `${upload("/pending")}12345`);
    await server.told("asked");
    if (!isOnePacket) wire.send(behind);
    // More of them would belong to requests that have overtaken the verdict.
    expect(await server.report()).toEqual({ spans: [], open: 1 });
    server.child.send("accept");
    const finals = [await wire.final(1), await wire.final(2), await wire.final(3)];
    wire.destroy();
    const spans = await server.spans(3);
    expect(spans.map(({ target, status }) => [target, status])).toEqual([
      ["/pending", 200],
      ["/held", 200],
      ["/last", 200],
    ]);
    expect(spans.map(({ parent }) => parent)).toEqual([undefined, undefined, undefined]);
    expect(finals.map(spansOf)).toEqual(spans.map(({ id }) => new Set([id])));
  });
});

/** What the handler took for the active span, when it began and when it answered. */
function spansOf({ headers }: WireResponse): Set<string | undefined> {
  return new Set([headers["x-span"], headers["x-span-at-end"] ?? headers["x-span"]]);
}
