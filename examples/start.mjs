// Starts the example of the folder in which `npm start` was called; arguments behind `--` are the server's.
//
// The folders behind-* have no server of their own: an application of another example starts on port 3000, and the proxy in
// front of it on port 8080.
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";

const examples = import.meta.dirname;
const folder = resolve(process.env.INIT_CWD ?? process.cwd());
const name = basename(folder);
const args = process.argv.slice(2);
const here = (file) => join(folder, file);
const temporary = () => mkdtempSync(join(tmpdir(), "expectations-example-"));

/** Files of the example in a folder of their own, which they take as the root of their names. */
function copied(...names) {
  const root = temporary();
  for (const each of names) copyFileSync(here(each), join(root, each));
  return root;
}

/** The command of each proxy, and the example that is behind it. */
const PROXIES = {
  "behind-apache": () => ["apache2", "-D", "FOREGROUND", "-d", temporary(), "-f", here("apache.conf")],
  "behind-caddy": () => ["caddy", "run", "--adapter", "caddyfile", "--config", here("Caddyfile")],
  "behind-haproxy": () => ["haproxy", "-db", "-f", here("haproxy.cfg")],
  "behind-lighttpd": () => ["lighttpd", "-D", "-f", here("lighttpd.conf")],
  "behind-modsecurity": () => {
    const root = copied("apache.conf", "expect.conf");
    return ["apache2", "-D", "FOREGROUND", "-d", root, "-f", join(root, "apache.conf")];
  },
  "behind-nghttpx": () => ["nghttpx", `--conf=${here("nghttpx.conf")}`],
  "behind-nginx": () => ["nginx", "-p", temporary(), "-c", here("nginx.conf")],
  "behind-squid": () => ["squid", "-N", "-f", here("squid.conf")],
  "behind-varnish": () => ["varnishd", "-F", "-n", temporary(), "-a", "127.0.0.1:8080", "-f", here("varnish.vcl")],
  "nginx-auth-request": () => ["nginx", "-p", temporary(), "-c", here("nginx.conf")],
};
const APPLICATIONS = { "behind-caddy": "caddy-forward-auth" };

const children = [];

function run(command, parameters) {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const child = spawn(command, parameters, { stdio: "inherit", env });
  children.push(child);
  child.on("error", (error) => {
    console.error(
      error.code === "ENOENT" ? `${command} is not installed; see README.md in this folder` : error.message,
    );
    end(1);
  });
  child.on("exit", (code) => end(code ?? 0));
}

function end(code) {
  process.exitCode ||= code;
  for (const child of children) child.kill();
}

function start() {
  const server =
    PROXIES[name] && !existsSync(here("server.mjs"))
      ? join(examples, APPLICATIONS[name] ?? "express-stream", "server.mjs")
      : here("server.mjs");
  const program = existsSync(server) ? server : here(`${name}.mjs`);
  if (!existsSync(program)) {
    console.error(`${folder} has nothing to start; see its README.md, or examples/README.md`);
    process.exitCode = 1;
    return;
  }
  const instrumentation = here("instrumentation.mjs");
  run(process.execPath, [...(existsSync(instrumentation) ? ["--import", instrumentation] : []), program, ...args]);
  const proxy = PROXIES[name]?.();
  if (proxy) run(proxy[0], proxy.slice(1));
}

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => end(0));
start();
