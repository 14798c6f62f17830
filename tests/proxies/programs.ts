import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { deadline } from "../helpers/deadline.js";
import { freePort } from "../helpers/ports.cjs";

const EXAMPLES: string = path.resolve(__dirname, "../../examples");
const DEADLINE_MS = 10_000;

/** Says on the console what is left out on this machine, and why. */
export function missing(...programs: string[]): string[] {
  const absent = programs.filter((name) => spawnSync(name, [name === "nginx" ? "-v" : "version"]).error !== undefined);
  if (absent.length > 0) process.stderr.write(`skipped: ${absent.join(" and ")} not installed on this machine\n`);
  return absent;
}

export interface ProxyOptions {
  readonly origin: number;
  /** Left out where the configuration asks nobody. */
  readonly admission?: number;
  /** Changes the shipped configuration. */
  readonly edit?: (config: string) => string;
}

/** A proxy in a process of its own, on a free port, with a shipped configuration and files of its own. */
export class ProxyProgram {
  output = "";

  private constructor(
    readonly port: number,
    readonly folder: string,
    readonly child: ChildProcess,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
  }

  /** Real nginx with the configuration of examples/nginx-auth-request. */
  static nginx(ports: ProxyOptions): Promise<ProxyProgram> {
    return ProxyProgram.#start("nginx-auth-request/nginx.conf", ports, (folder, file) =>
      spawn("nginx", ["-p", folder, "-c", file], { stdio: ["ignore", "pipe", "pipe"] }),
    );
  }

  /** Real Caddy with the configuration of examples/behind-caddy. */
  static caddy(ports: ProxyOptions): Promise<ProxyProgram> {
    return ProxyProgram.#start("behind-caddy/Caddyfile", ports, (folder, file) => {
      const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
      const args = ["run", "--adapter", "caddyfile", "--config", file];
      return spawn("caddy", args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    });
  }

  /** Real Apache with ModSecurity and the configuration of examples/behind-modsecurity. */
  static modSecurity(ports: ProxyOptions): Promise<ProxyProgram> {
    const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
    const run = (folder: string, file: string) =>
      spawn("apache2", ["-D", "FOREGROUND", "-d", folder, "-f", file], { env, stdio: ["ignore", "pipe", "pipe"] });
    return ProxyProgram.#start("behind-modsecurity/apache.conf", ports, run, ["behind-modsecurity/expect.conf"]);
  }

  static async #start(
    config: string,
    ports: ProxyOptions,
    run: (folder: string, file: string) => ChildProcess,
    beside: readonly string[] = [],
  ): Promise<ProxyProgram> {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), "expectations-proxy-"));
    // nginx's workers run as somebody else when the tests run as root.
    await fs.chmod(folder, 0o777);
    const port = await freePort();
    const shipped = await fs.readFile(path.join(EXAMPLES, config), "utf8");
    const text = ports.edit ? ports.edit(shipped) : shipped;
    const file = path.join(folder, path.basename(config));
    for (const other of beside) await fs.copyFile(path.join(EXAMPLES, other), path.join(folder, path.basename(other)));
    await fs.writeFile(
      file,
      replaced(text, [
        ["127.0.0.1:3000", `127.0.0.1:${ports.origin}`],
        ...(ports.admission === undefined ? [] : [["127.0.0.1:3001", `127.0.0.1:${ports.admission}`] as Pair]),
        [
          config.endsWith("Caddyfile") ? ":8080" : "127.0.0.1:8080",
          config.endsWith("Caddyfile") ? `:${port}` : `127.0.0.1:${port}`,
        ],
      ]),
    );
    const program = new ProxyProgram(port, folder, run(folder, file));
    try {
      await program.#listens();
    } catch (error) {
      await program.stop();
      throw error;
    }
    return program;
  }

  async #listens(): Promise<void> {
    const end = performance.now() + deadline(DEADLINE_MS);
    while (!(await accepts(this.port))) {
      if (this.child.exitCode !== null || performance.now() > end) {
        throw new Error(`not listening (exit code ${this.child.exitCode}):\n${this.output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends this process, and its workers with it. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exited = once(this.child, "exit");
      this.child.kill("SIGTERM");
      const timer = setTimeout(() => this.child.kill("SIGKILL"), deadline(DEADLINE_MS));
      await exited;
      clearTimeout(timer);
    }
    await fs.rm(this.folder, { recursive: true, force: true });
  }
}

type Pair = [from: string, to: string];

export function replaced(text: string, pairs: Pair[]): string {
  return pairs.reduce((result, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the configuration has no ${from}`);
    return result.replaceAll(from, to);
  }, text);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

export interface CurlResult {
  readonly status: number;
  /** Bytes of content that curl sent. */
  readonly sent: number;
  readonly headers: string;
  readonly body: string;
}

/** Real curl. */
export function curl(url: string, args: readonly string[]): Promise<CurlResult> {
  const mark = "\n-- curl --";
  const all = [
    "-sS",
    "-i",
    "--max-time",
    String(deadline(15_000) / 1_000),
    "-w",
    `${mark}%{http_code} %{size_upload}`,
    ...args,
    url,
  ];
  return new Promise((resolve, reject) => {
    execFile("curl", all, { maxBuffer: 2 ** 24, timeout: deadline(20_000) }, (error, stdout, stderr) => {
      const [text = "", numbers = ""] = stdout.split(mark);
      const [status = 0, sent = 0] = numbers.split(" ").map(Number);
      if (status === 0) {
        reject(new Error(`curl ${all.join(" ")}: ${stderr} ${String(error)}`));
        return;
      }
      const final = text.slice(text.lastIndexOf("\r\nHTTP/1.1 ") + 2);
      const at = text.includes("\r\nHTTP/1.1 ") ? final : text;
      const [headers = "", ...body] = at.split("\r\n\r\n");
      resolve({ status, sent, headers, body: body.join("\r\n\r\n") });
    });
  });
}
