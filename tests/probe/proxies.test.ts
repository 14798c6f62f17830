import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "@jest/globals";
import { expectations, maxSize, silent } from "../../src/index.js";
import type { ProbeResult } from "../../src/probe/result.js";
import { testUnless, whyMissing } from "../helpers/clients.js";
import { closeServers, startAttached, store } from "../helpers/servers.js";
import { probeJson } from "./command.js";

const DEADLINE_MS = 60_000;
const EXAMPLES = join(__dirname, "../../examples");
const example = (path: string) => readFileSync(join(EXAMPLES, path), "utf8");

const NGINX = `daemon off; pid nginx.pid; error_log stderr; worker_processes 1; events {}
http {
  access_log off; client_max_body_size 0;
  server { listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:3000; } }
}`;
const HAPROXY = `defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend uploads
  bind 127.0.0.1:8080
  default_backend origin
backend origin
  server origin 127.0.0.1:3000
`;
const CADDY = "{\n\tadmin off\n}\n:8080 {\n\tbind 127.0.0.1\n\treverse_proxy 127.0.0.1:3000\n}\n";

interface SetUp {
  readonly name: string;
  readonly command: string;
  readonly versionArgs: readonly string[];
  readonly config: string;
  readonly args: (folder: string, file: string) => readonly string[];
  /** Findings above notes, with the hop. */
  readonly finds: readonly string[];
}

const haproxyArgs = (_: string, file: string) => ["-db", "-f", file];
const caddyArgs = (_: string, file: string) => ["run", "--adapter", "caddyfile", "--config", file];

const SET_UPS: readonly SetUp[] = [
  {
    name: "nginx with proxy_pass answers the 100 itself",
    command: "nginx",
    versionArgs: ["-v"],
    config: NGINX,
    args: (folder, file) => ["-p", folder, "-c", file],
    finds: ["proxy-continue@proxy"],
  },
  {
    name: "HAProxy by default leaves refused connections open",
    command: "haproxy",
    versionArgs: ["-v"],
    config: HAPROXY,
    args: haproxyArgs,
    finds: ["kept-417@proxy", "kept-final@proxy"],
  },
  {
    name: "HAProxy as the example has it is healthy",
    command: "haproxy",
    versionArgs: ["-v"],
    config: example("behind-haproxy/haproxy.cfg"),
    args: haproxyArgs,
    finds: [],
  },
  {
    name: "Caddy by default sends two 100s",
    command: "caddy",
    versionArgs: ["version"],
    config: CADDY,
    args: caddyArgs,
    finds: ["double-continue@proxy", "proxy-continue@proxy"],
  },
  {
    name: "Caddy as the example has it is healthy",
    command: "caddy",
    versionArgs: ["version"],
    config: example("behind-caddy/Caddyfile"),
    args: caddyArgs,
    finds: [],
  },
  {
    name: "Apache as the example has it is healthy",
    command: "apache2",
    versionArgs: ["-v"],
    config: example("behind-apache/apache.conf"),
    args: (folder, file) => ["-D", "FOREGROUND", "-d", folder, "-f", file],
    finds: [],
  },
];

/** What is the same each time: no HTTP/1.0, which Caddy's Go passes the 100 on to, and no reset by chance. */
const ONLY = "plain,control,withheld,sent,large,unknown,list,late";

let originPort: number;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const guard = expectations({ policies: [maxSize("2mb")], logger: silent });
  originPort = (await startAttached("node:http", { use: [guard], routes: { "/upload": store } }, { logger: silent }))
    .port;
});
afterAll(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await closeServers();
});

async function startProxy({ command, config, args }: SetUp): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "expectations-probe-"));
  // Workers run as somebody else when the tests run as root.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const file = join(folder, "config");
  writeFileSync(file, config.replaceAll("127.0.0.1:3000", `127.0.0.1:${originPort}`).replaceAll(":8080", `:${port}`));
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = spawn(command, [...args(folder, file)], { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] });
  stops.push(() => stop(child, folder));
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const deadline = performance.now() + 15_000;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`${command} does not listen:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return port;
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
    await exited;
    clearTimeout(timer);
  }
  rmSync(folder, { recursive: true, force: true });
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

const found = ({ findings }: ProbeResult) =>
  findings.flatMap(({ code, hop, severity }) => (severity === "note" ? [] : [`${code}@${hop}`])).sort();

describe("a real proxy before an attached server:", () => {
  for (const setUp of SET_UPS) {
    testUnless(whyMissing(setUp.command, ...setUp.versionArgs))(
      setUp.name,
      async () => {
        const port = await startProxy(setUp);
        const args = ["--yes", "--only", ONLY, "--via", `http://127.0.0.1:${originPort}/upload`];
        const result = await probeJson(...args, `http://127.0.0.1:${port}/upload`);
        // One that is wrong may do more wrong by chance; one that is right may not.
        const isRight = setUp.finds.length === 0;
        expect(found(result)).toEqual(isRight ? [] : expect.arrayContaining([...setUp.finds]));
      },
      DEADLINE_MS,
    );
  }
});
