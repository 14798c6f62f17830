// Starts the proxies: each in a process of its own, on a free port, in a folder of its own, ended by its process id.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { freePort } from "../../helpers/ports.cjs";

const DEADLINE_MS = 20_000;

/** What a configuration file calls the ports; each is replaced by a free one. */
const PORTS = { proxy: /\b8080\b/g, origin: /\b3000\b/g, admission: /\b3001\b/g };

/**
 * How a program is started with a configuration file, in the foreground; `package` is Debian's.
 *
 * @type {Record<string, { command: string, package: string, version: string[], versionBy?: string, args: (folder: string, file: string,
 *   ports: { proxy: number, origin: number }) => string[], env?: (folder: string) => Record<string, string> }>}
 */
export const PROGRAMS = {
  nginx: {
    command: "nginx",
    package: "nginx-light",
    version: ["-v"],
    args: (folder, file) => ["-p", folder, "-c", file, "-e", "stderr"],
  },
  Apache: {
    command: "apache2",
    package: "apache2",
    version: ["-v"],
    args: (folder, file) => ["-D", "FOREGROUND", "-d", folder, "-f", file],
  },
  ModSecurity: {
    command: "apache2",
    package: "libapache2-mod-security2",
    // A module does not tell its version.
    versionBy: "dpkg-query",
    version: ["-W", "libapache2-mod-security2"],
    args: (folder, file) => ["-D", "FOREGROUND", "-d", folder, "-f", file],
  },
  HAProxy: { command: "haproxy", package: "haproxy", version: ["-v"], args: (_folder, file) => ["-db", "-f", file] },
  Caddy: {
    command: "caddy",
    package: "caddy",
    version: ["version"],
    args: (_folder, file) => ["run", "--adapter", "caddyfile", "--config", file],
    env: (folder) => ({ HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }),
  },
  Squid: {
    command: "squid",
    package: "squid",
    version: ["-v"],
    args: (_folder, file) => ["-N", "-f", file],
  },
  Varnish: {
    command: "varnishd",
    package: "varnish",
    version: ["-V"],
    args: (folder, file, { proxy }) => {
      const own = ["-n", join(folder, "work"), "-T", "none", "-s", "malloc,16m"];
      return ["-F", "-j", "none", ...own, "-a", `127.0.0.1:${proxy}`, "-f", file];
    },
  },
  lighttpd: {
    command: "lighttpd",
    package: "lighttpd",
    version: ["-v"],
    args: (_folder, file) => ["-D", "-f", file],
  },
  nghttpx: {
    command: "nghttpx",
    package: "nghttp2-proxy",
    version: ["--version"],
    args: (_folder, file) => [`--conf=${file}`],
  },
  "Traffic Server": {
    command: "traffic_server",
    package: "trafficserver",
    version: ["-V"],
    args: (folder) => [`--run-root=${join(folder, "root")}`],
  },
  Node: {
    command: process.execPath,
    package: "node",
    version: ["--version"],
    args: (_folder, file, { proxy, origin }) => [file, String(proxy), `http://127.0.0.1:${origin}`],
  },
};

const ALLOW = "ip_allow:\n  - apply: in\n    ip_addrs: 127.0.0.1\n    action: allow\n    methods: ALL\n";

/** The version of an installed program; `undefined` where it is not installed. */
export function versionOf(name) {
  const { command, versionBy = command, version } = PROGRAMS[name];
  const { error, stdout, stderr } = spawnSync(versionBy, version, { encoding: "utf8", timeout: 20_000 });
  if (error) return undefined;
  return /\d+\.\d+(?:\.\d+)?/.exec(`${stdout}${stderr}`)?.[0] ?? "";
}

/** Why a set-up cannot be started on this machine; `undefined` if it can. */
export function whyNot({ hops, needs }) {
  const absent = hops.map(({ program }) => program).find((program) => versionOf(program) === undefined);
  if (absent) return `${PROGRAMS[absent].package} is not installed`;
  if (needs && !existsSync(needs.file)) return `${needs.package} is not installed`;
  return undefined;
}

/** A running proxy. */
export class RunningProxy {
  output = "";

  /**
   * @param hop - a program and its files, which have whole paths here.
   * @param ports - of the origin and of the endpoint that is asked first.
   * @param pems - texts of files that are put beside the configuration, by name.
   */
  static async start({ program, files, args = [] }, ports, pems = {}) {
    const proxy = new RunningProxy();
    const how = PROGRAMS[program];
    proxy.folder = await mkdtemp(join(tmpdir(), "expectations-proxy-"));
    // Workers run as somebody else when the proxy is started as root.
    await chmod(proxy.folder, 0o777);
    proxy.port = await freePort();
    const all = { ...ports, proxy: proxy.port };
    try {
      const file = program === "Node" ? files[0] : await proxy.#write(files, all, pems);
      if (program === "Traffic Server") await proxy.#layOut(files);
      const env = { ...process.env, ...how.env?.(proxy.folder) };
      proxy.child = spawn(how.command, [...how.args(proxy.folder, file, all), ...args], {
        cwd: proxy.folder,
        env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      proxy.child.once("error", (error) => {
        proxy.output += error.message;
      });
      for (const stream of [proxy.child.stdout, proxy.child.stderr]) {
        stream.setEncoding("utf8").on("data", (text) => {
          proxy.output = (proxy.output + text).slice(-10_000);
        });
      }
      await proxy.#listens();
    } catch (error) {
      await proxy.stop();
      throw error;
    }
    return proxy;
  }

  async #write(files, ports, pems) {
    const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
    for (const [i, text] of texts.entries()) {
      await writeFile(join(this.folder, basename(files[i])), withPorts(text, ports));
    }
    for (const [name, text] of Object.entries(pems)) await writeFile(join(this.folder, name), text);
    return join(this.folder, basename(files[0]));
  }

  // Its configuration is a folder, and Debian's build looks for it in /etc where no file says otherwise.
  async #layOut(files) {
    const root = join(this.folder, "root");
    const own = ["sysconfdir", "localstatedir", "runtimedir", "logdir", "cachedir"];
    for (const name of own) await mkdir(join(root, name), { recursive: true });
    const lines = [
      ...["prefix", "exec_prefix"].map((name) => `${name}: /usr`),
      ...["bindir", "sbindir"].map((name) => `${name}: /usr/bin`),
      ...own.map((name) => `${name}: ${join(root, name)}`),
    ];
    await writeFile(join(root, "runroot.yaml"), `${lines.join("\n")}\n`);
    // It does not start without a place for its cache, and serves nobody whom no rule allows.
    const others = { "storage.config": `${join(root, "cachedir")} 16M\n`, "ip_allow.yaml": ALLOW };
    for (const [name, text] of Object.entries(others)) await writeFile(join(root, "sysconfdir", name), text);
    for (const file of files) {
      await copyFile(join(this.folder, basename(file)), join(root, "sysconfdir", basename(file)));
    }
  }

  async #listens() {
    const deadline = performance.now() + DEADLINE_MS;
    while (!(await accepts(this.port))) {
      const { exitCode, signalCode } = this.child;
      if (exitCode !== null || signalCode !== null || performance.now() > deadline) {
        throw new Error(`does not listen (exit code ${exitCode ?? signalCode}): ${this.output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop() {
    const { child } = this;
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      // Squid waits for its clients at the first signal, and ends at the second.
      child.kill("SIGTERM");
      const again = setTimeout(() => child.kill("SIGTERM"), 500);
      const timer = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS / 4);
      await exited;
      clearTimeout(again);
      clearTimeout(timer);
    }
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function withPorts(text, ports) {
  return Object.entries(PORTS).reduce((result, [name, pattern]) => result.replaceAll(pattern, ports[name]), text);
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
