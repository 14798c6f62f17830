// The fixes that the probe prints, pasted into a plain configuration: probed again, it is healthy.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "@jest/globals";
import { expectations, maxSize, silent } from "../../src/index.js";
import {
  ASK_FIRST,
  CADDY,
  HAPROXY,
  HAPROXY_CLOSES,
  LET_THROUGH,
  PASS_ON,
  VARNISH,
} from "../../src/probe/findings/catalogue/fixes.js";
import { admission } from "../../src/proxies/admission.js";
import { testUnless } from "../helpers/clients.js";
import { closeServers, listen, startAttached, store } from "../helpers/servers.js";
import { codesOf, probeJson } from "./command.js";

const STARTER = join(__dirname, "proxies-start.mjs");
const DEADLINE_MS = 60_000;
const folder = mkdtempSync(join(tmpdir(), "expectations-pasted-"));

/** A plain configuration, and where the fix goes in it. */
interface Case {
  readonly program: string;
  readonly code: string | undefined;
  readonly fault: string;
  /** The configuration as it is before, and with the fix. */
  readonly before: string;
  readonly pasted: (code: string) => string;
}

const nginx = (inHttp: string, inServer: string) => `daemon off;
pid nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  ${inHttp}
  server { listen 127.0.0.1:8080; ${inServer} }
}`;
const haproxy = (inFrontend: string, inBackend = "") => `defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend uploads
  bind 127.0.0.1:8080
${inFrontend}
  default_backend origin
backend origin
${inBackend}
  server origin 127.0.0.1:3000
`;
const apache = (lines: string) => `LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
User www-data
Group www-data
ServerName localhost
PidFile apache.pid
DefaultRuntimeDir .
ErrorLog error.log
Listen 127.0.0.1:8080
${lines}
`;
const SHIPPED = readFileSync(join(__dirname, "../../examples/behind-modsecurity/apache.conf"), "utf8");
const modSecurity = (rules: string) => SHIPPED.replace("Include expect.conf", () => rules);
const caddy = (inSite: string) => `{\n\tadmin off\n}\n:8080 {\n\tbind 127.0.0.1\n${inSite}\n}\n`;
const varnish = (rules: string) =>
  `vcl 4.1;\nimport std;\nbackend origin { .host = "127.0.0.1"; .port = "3000"; }\n${rules}\n`;

const CASES: readonly Case[] = [
  {
    program: "nginx",
    code: ASK_FIRST.code,
    fault: "proxy-continue",
    before: nginx("", "client_max_body_size 0; location / { proxy_pass http://127.0.0.1:3000; }"),
    pasted: (code) => {
      const [inHttp = "", inServer = ""] = code.split(/^# in server .*$/m);
      return nginx(inHttp, inServer);
    },
  },
  {
    program: "Apache",
    code: PASS_ON.code,
    fault: "proxy-continue",
    before: apache('Proxy100Continue Off\nProxyPass "/" "http://127.0.0.1:3000/"'),
    pasted: apache,
  },
  {
    program: "HAProxy",
    code: HAPROXY_CLOSES.code,
    fault: "kept-final",
    before: haproxy(""),
    pasted: haproxy,
  },
  {
    program: "HAProxy",
    code: HAPROXY.code,
    fault: "proxy-continue",
    before: haproxy("option http-buffer-request"),
    pasted: (code) => haproxy(`${code}\n${HAPROXY_CLOSES.code}`, code),
  },
  {
    program: "Caddy",
    code: CADDY.code,
    fault: "double-continue",
    before: caddy("reverse_proxy 127.0.0.1:3000"),
    pasted: caddy,
  },
  {
    program: "ModSecurity",
    code: LET_THROUGH.code,
    fault: "waf-expect",
    before: modSecurity(""),
    pasted: modSecurity,
  },
  { program: "Varnish", code: VARNISH.code, fault: "proxy-continue", before: varnish(""), pasted: varnish },
];

const missing = new Map(
  (
    JSON.parse(execFileSync(process.execPath, [STARTER, "--list"], { encoding: "utf8" })) as {
      program: string;
      missing?: string;
    }[]
  ).map((one) => [one.program, one.missing]),
);

let ports: readonly number[];
let running: readonly Promise<readonly [before: string[], after: string[]]>[];

beforeAll(async () => {
  const policies = [maxSize("2mb")];
  const use = [expectations({ policies, logger: silent })];
  const app = await startAttached("node:http", { use, routes: { "/files/upload": store } }, { logger: silent });
  const asked = (statuses: "nginx" | "verbatim") =>
    listen(http.createServer(admission({ trustProxy: "loopback", policies, statuses, logger: silent })));
  ports = [app.port, (await asked("nginx")).port, (await asked("verbatim")).port];
  // They wait for what does not come, most of the time: they run side by side.
  running = CASES.map(async ({ program, code = "", before, pasted }): Promise<readonly [string[], string[]]> => {
    if (missing.get(program) !== undefined) return [[], []];
    return Promise.all([codesBehind(program, before), codesBehind(program, pasted(code))]);
  });
  for (const one of running) one.catch(() => {});
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await closeServers();
});

let files = 0;

async function codesBehind(program: string, configuration: string): Promise<string[]> {
  const file = join(folder, `${program}-${files++}.conf`);
  writeFileSync(file, configuration);
  const args = [STARTER, "--file", program, file, ...ports.map(String)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  try {
    const [first] = await Promise.race([once(child.stdout, "data"), exited]);
    if (child.exitCode !== null) throw new Error(`${program} does not start`);
    const only = "plain,control,withheld,sent,large";
    const origin = `http://127.0.0.1:${ports[0]}/files/upload`;
    const result = await probeJson(
      "--yes",
      "--only",
      only,
      // One that the rules of ModSecurity allow.
      "-H",
      "Content-Type: text/plain",
      "--origin",
      origin,
      `http://127.0.0.1:${Number(String(first))}/files/upload`,
    );
    return codesOf(result);
  } finally {
    child.stdin.end();
    await exited;
  }
}

describe("a fix that is pasted cures:", () => {
  for (const [i, { program, fault }] of CASES.entries()) {
    testUnless(missing.get(program))(
      `${program}, ${fault}`,
      async () => {
        const [before, after] = (await running[i]) ?? [];
        expect(before).toContain(fault);
        expect(after).toEqual([]);
      },
      DEADLINE_MS,
    );
  }
});
