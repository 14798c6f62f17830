import * as fs from "node:fs/promises";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { Checkout, command, REPOSITORY } from "../examples/checkout.js";

// Each of them packs, installs or runs something; compilers.mjs compiles programs against the package.
jest.setTimeout(120_000);

let checkout: Checkout;
let tarball: string;
/** A project in which npm has installed the tarball. */
let installed: string;

// `npm pack` as it is run for a release: `prepack` builds, or takes what was built of the same source.
beforeAll(async () => {
  checkout = await Checkout.make();
  const packed = await command("npm", ["pack", "--json", "--pack-destination", checkout.folder], checkout.folder);
  const [{ filename }] = JSON.parse(packed.slice(packed.indexOf("[\n")));
  tarball = path.join(checkout.folder, filename);
  await checkout.write("projects/installed/package.json", '{ "name": "installed", "private": true }');
  installed = path.join(checkout.folder, "projects/installed");
  // What it depends on comes from npm's cache where that has it.
  await command("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball], installed);
});
afterAll(() => checkout.remove());

const USE = `
const sent = [];
const app = (req, res) =>
  expectations({ policies: [maxSize("1kb")], logger: silent })(req, res, () => {
    req.resume().on("end", () => {}).on("data", () => {});
    req.on("end", () => { res.statusCode = 201; res.end("stored"); });
  });
const server = attach(http.createServer(app), { logger: silent });
server.listen(0, "127.0.0.1", async () => {
  for (const length of [5, 1025]) sent.push(await upload(server.address().port, length));
  console.log(JSON.stringify(sent));
  server.close();
});
function upload(port, length) {
  return new Promise((resolve) => {
    const statuses = [];
    const socket = net.connect(port, "127.0.0.1");
    socket.write("PUT / HTTP/1.1\\r\\nHost: test\\r\\nExpect: 100-continue\\r\\nContent-Length: " + length + "\\r\\n\\r\\n");
    socket.setEncoding("latin1").on("data", (text) => {
      for (const [, status] of text.matchAll(/HTTP\\/1\\.1 (\\d+)/g)) {
        statuses.push(Number(status));
        if (status === "100") socket.write("x".repeat(length));
        else socket.end();
      }
    });
    socket.on("close", () => resolve(statuses));
  });
}
`;

/** A project of a user's, below the one in which npm has installed the tarball. */
async function project(name: string, files: Record<string, string>): Promise<string> {
  const folder = path.join(installed, name);
  for (const [file, text] of Object.entries({ "package.json": `{ "name": "${name}", "private": true }`, ...files })) {
    await checkout.write(path.relative(checkout.folder, path.join(folder, file)), text);
  }
  return folder;
}

async function runs(folder: string, file: string): Promise<void> {
  const program = checkout.start([path.join(folder, file)]);
  expect(await program.end()).toBe(0);
  expect(program.output.trim()).toBe("[[100,201],[413]]");
}

/** The paths of all files in the tarball. */
async function packedFiles(): Promise<string[]> {
  const listing = await command("tar", ["-tzf", tarball], checkout.folder);
  return listing
    .trim()
    .split("\n")
    .map((file) => file.replace(/^package\//, ""))
    .sort();
}

/** The names of the API reference: values are classes, variables and functions. */
async function documented(kind: "Values" | "Types"): Promise<string[]> {
  const reference = await fs.readFile(path.join(REPOSITORY, "docs/api/index.md"), "utf8");
  const isOfValues = (group: string) => /^(?:Classes|Variables|Functions)\n/.test(group);
  return reference
    .split(/^## /m)
    .slice(1)
    .filter((group) => isOfValues(group) === (kind === "Values"))
    .flatMap((group) => [...group.matchAll(/^### (\w+)/gm)].map(([, name]) => name as string))
    .sort();
}

test("an ESM project accepts and refuses with the installed package", async () => {
  const folder = await project("esm", {
    "main.mjs": `import http from "node:http"; import net from "node:net";
import { attach, expectations, maxSize, silent } from "express-expectations";\n${USE}`,
  });
  await runs(folder, "main.mjs");
});

test("a CommonJS project accepts and refuses with the installed package", async () => {
  const folder = await project("commonjs", {
    "main.cjs": `const http = require("node:http"); const net = require("node:net");
const { attach, expectations, maxSize, silent } = require("express-expectations");\n${USE}`,
  });
  await runs(folder, "main.cjs");
});

test("a guard of one module system and a server attached by the other work together", async () => {
  const folder = await project("mixed", {
    "main.mjs": `import http from "node:http"; import net from "node:net"; import { createRequire } from "node:module";
import { attach } from "express-expectations";
const { expectations, maxSize, silent } = createRequire(import.meta.url)("express-expectations");\n${USE}`,
  });
  await runs(folder, "main.mjs");
});

test.each(["mjs", "cjs"])(
  "a project tests its guard, and uploads, with the installed package (%s)",
  async (extension) => {
    const load = (names: string, from: string) =>
      extension === "mjs" ? `import { ${names} } from "${from}";` : `const { ${names} } = require("${from}");`;
    const folder = await project(`both-ends-${extension}`, {
      [`main.${extension}`]: `${load("expectations, maxSize, silent", "express-expectations")}
${load("upload", "express-expectations/client")}
${load("handshake, misbehave", "express-expectations/testing")}
const guard = expectations({ policies: [maxSize("1kb")], logger: silent });
const app = (req, res) => guard(req, res, () => req.on("data", () => {}).on("end", () => res.writeHead(201).end()));
(async () => {
  const { continues } = await handshake(app).put("/").send("hello").expectContinue(201);
  const { status } = await handshake(app).put("/").withhold(1025).expectRefusal(413);
  const server = await misbehave("expectation-failed");
  const { attempts } = await upload(server.url, { body: "hello" });
  await server.close();
  console.log(JSON.stringify([continues, status, attempts]));
})();`,
    });
    const program = checkout.start([path.join(folder, `main.${extension}`)]);
    expect(await program.end()).toBe(0);
    expect(program.output.trim()).toBe("[1,413,2]");
  },
);

test("the ESM and the CommonJS copy of the OpenTelemetry entry know the same spans", async () => {
  const scope = path.join(installed, "node_modules/@opentelemetry");
  await fs.mkdir(scope, { recursive: true });
  await fs.symlink(path.join(REPOSITORY, "node_modules/@opentelemetry/api"), path.join(scope, "api"), "junction");
  const folder = await project("traced", {
    "main.mjs": `import { channel } from "node:diagnostics_channel"; import { createRequire } from "node:module";
import { recordExpectations } from "express-expectations/opentelemetry";
const { rememberSpan } = createRequire(import.meta.url)("express-expectations/opentelemetry");
const req = {};
rememberSpan({ addEvent: (name) => console.log(name) }, req);
recordExpectations();
channel("express-expectations:accept").publish({ req, record: { status: 100, durationMs: 1 } });`,
  });
  expect((await command(process.execPath, ["main.mjs"], folder)).trim()).toBe("expectation.continued");
});

test("the middleware loads nothing of the client and the test kit", async () => {
  const folder = await project("loads", {
    "main.cjs": `require("express-expectations");
console.log(Object.keys(require.cache).filter((file) => /dist.cjs.(client|testing|probe|cli)/.test(file)).length);`,
  });
  expect((await command(process.execPath, ["main.cjs"], folder)).trim()).toBe("0");
});

describe("what is in the package", () => {
  test("exports exactly the documented names from both copies, and no default", async () => {
    const folder = await project("names", {
      "names.mjs": `import * as esm from "express-expectations"; import { createRequire } from "node:module";
const cjs = createRequire(import.meta.url)("express-expectations");
console.log(JSON.stringify([Object.keys(esm).sort(), Object.keys(cjs).sort()]));`,
    });
    const names = JSON.parse(await command(process.execPath, ["names.mjs"], folder));
    const values = await documented("Values");
    expect(names).toEqual([values, values]);
    expect(values).not.toContain("default");
  });

  test("exports exactly the documented types", async () => {
    const index = await fs.readFile(path.join(checkout.folder, "dist/esm/index.d.ts"), "utf8");
    const lists = [...index.matchAll(/export (type )?\{([^}]*)\}/g)];
    const types = lists.flatMap(([, isTypes, list]) =>
      (list as string)
        .split(",")
        .map((item) => item.trim())
        .filter((item) => item !== "" && (isTypes !== undefined || item.startsWith("type ")))
        .map((item) => item.replace(/^type /, "")),
    );
    expect(types.sort()).toEqual(await documented("Types"));
  });

  test("holds what a user needs, and no tests", async () => {
    const others = (await packedFiles()).filter(
      (file) =>
        !/^(dist\/(esm|cjs|browser)\/[\w/-]+\.(js|d\.ts)(\.map)?|dist\/cli\/[\w-]+\.js|src\/[\w/-]+\.ts|(docs|examples)\/.*)$/.test(
          file,
        ),
    );
    expect(others).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "SECURITY.md",
      "dist/cjs/package.json",
      "dist/cli/LICENCES.txt",
      "dist/schema/probe-result.json",
      "dist/schema/report-summary.json",
      "package.json",
    ]);
  });

  test("stays small: files, bytes, and what a page and a command load", async () => {
    const files = await packedFiles();
    const sizes = await Promise.all(
      files.map(async (file) => [file, (await fs.stat(path.join(checkout.folder, file))).size] as const),
    );
    const bytesOf = (pattern: RegExp) =>
      sizes.reduce((sum, [file, bytes]) => (pattern.test(file) ? sum + bytes : sum), 0);
    expect(files.length).toBeLessThan(1_800);
    expect(bytesOf(/./)).toBeLessThan(5_400_000);
    expect(bytesOf(/^dist\/cli\//)).toBeLessThan(480_000);
    expect(bytesOf(/^dist\/esm\/report\/page\/script\.js$/)).toBeLessThan(100_000);
    expect((await fs.stat(tarball)).size).toBeLessThan(1_150_000);
  });

  test("holds no script and no declaration that nobody can import", async () => {
    const files = await packedFiles();
    const { exports: exported } = JSON.parse(await fs.readFile(path.join(checkout.folder, "package.json"), "utf8"));
    const entries = (Object.values(exported) as Record<string, Record<string, string>>[]).flatMap((target) =>
      [target.import, target.require].flatMap((one) => (one ? Object.values(one) : [])),
    );
    const reached = new Set<string>();
    const follow = async (file: string): Promise<void> => {
      if (reached.has(file)) return;
      reached.add(file);
      const text = await fs.readFile(path.join(checkout.folder, file), "utf8");
      const extension = file.endsWith(".d.ts") ? ".d.ts" : ".js";
      for (const [, to = ""] of text.matchAll(/(?:from|import\(|import|require\() ?"(\.[^"]+)"/g)) {
        await follow(path.join(path.dirname(file), to.replace(/(\.js)?$/, extension)));
      }
    };
    for (const entry of entries) await follow(path.normalize(entry));
    const scripts = files.filter((file) => /^dist\/(?:esm|cjs)\/.*\.(?:js|d\.ts)$/.test(file));
    expect(scripts.length).toBeGreaterThan(100);
    expect(scripts.filter((file) => !reached.has(file))).toEqual([]);
    expect([...reached].filter((file) => !files.includes(file))).toEqual([]);
  });

  test("runs its command line from one folder, without any package", async () => {
    const alone = path.join(checkout.folder, "alone");
    await fs.cp(path.join(installed, "node_modules/express-expectations/dist/cli"), alone, { recursive: true });
    await checkout.write("alone/package.json", '{ "type": "module" }');
    const log = await checkout.write("alone/app.log", '{"event":"expectation.refused","status":413}\n');
    const page = path.join(alone, "report.html");
    expect(await command(process.execPath, ["bin.js", "report", log], alone)).toContain("1 refused");
    await command(process.execPath, ["bin.js", "report", log, "--html", page], alone);
    expect(await fs.readFile(page, "utf8")).toContain("uplot");
    expect(await command(process.execPath, ["bin.js", "probe", "--help"], alone)).toContain("Usage");
    expect(await command(process.execPath, ["bin.js", "upload", "--help"], alone)).toContain("Usage");
  });

  test("has JSON Schemas beside the types of what the command line prints", async () => {
    const folder = await project("schemas", {
      "main.cjs": `const schemas = ["probe-result", "report-summary"].map((name) => require("express-expectations/schema/" + name + ".json"));
console.log(JSON.stringify(schemas.map(({ properties }) => properties.schema.const)), Object.keys(require("express-expectations/schema")).length);`,
    });
    expect((await command(process.execPath, ["main.cjs"], folder)).trim()).toBe("[2,2] 0");
  });

  test("maps every script and declaration to a source that it holds", async () => {
    const files = await packedFiles();
    // The scripts of pages, and the command line, are bundles.
    const mapped = files.filter(
      (file) => /^dist\/(?!cli).*\.(js|d\.ts)$/.test(file) && !/page\/script\.js$/.test(file),
    );
    expect(mapped.length).toBeGreaterThan(100);
    for (const file of mapped) {
      const { sources } = JSON.parse(await fs.readFile(path.join(checkout.folder, `${file}.map`), "utf8"));
      expect(sources).toHaveLength(1);
      expect(files).toContain(path.join(path.dirname(file), sources[0]));
    }
  });

  test("depends on exactly the packages that it imports", async () => {
    const manifest = JSON.parse(await fs.readFile(path.join(checkout.folder, "package.json"), "utf8"));
    const esm = path.join(checkout.folder, "dist/esm");
    const files = (await fs.readdir(esm, { recursive: true })).filter((file) => file.endsWith(".js"));
    const sources = await Promise.all(files.map((file) => fs.readFile(path.join(esm, file), "utf8")));
    const imported = sources.join("\n").matchAll(/\bfrom "(?!node:)((?:@[^/"]+\/)?[^./"][^/"]*)[^"]*"/g);
    const names = new Set([...imported].map(([, name]) => name as string));
    // It stands in the texts of the command line, which show what to write.
    names.delete(manifest.name);
    const optional = Object.keys(manifest.peerDependencies ?? {});
    expect([...names].filter((name) => !optional.includes(name)).sort()).toEqual(
      Object.keys(manifest.dependencies ?? {}).sort(),
    );
  });

  test("declares what the README says about Node, and no side effects", async () => {
    const manifest = JSON.parse(await fs.readFile(path.join(checkout.folder, "package.json"), "utf8"));
    expect(manifest.engines.node).toBe(">=20.19");
    expect(manifest.sideEffects).toBe(false);
  });

  test("publint finds nothing to say, strictly", async () => {
    const output = await command(
      path.join(REPOSITORY, "node_modules/.bin/publint"),
      [tarball, "--strict"],
      checkout.folder,
    );
    expect(output).toContain("All good!");
  });
});
