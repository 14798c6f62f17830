import { readdirSync, readFileSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import * as ts from "typescript";

const SRC = join(__dirname, "../../src");

/**
 * Who may import whom: a file imports from the rows beneath its own alone. Types count like everything else.
 */
const LAYERS: readonly (readonly string[])[] = [
  ["index", "cli/*", "dashboard", "prometheus"],
  ["probe/*", "report/*"],
  ["admission", "relay", "sampled"],
  ["expectations"],
  ["attach"],
  ["gate"],
  ["final", "record", "refusal"],
  ["connection"],
  ["handshake"],
  ["policies/*"],
  ["digest", "policy"],
  ["admission-request"],
  ["html", "linger", "logger", "message", "options", "shape", "size"],
  ["diagnostics"],
  ["errors", "expect-header", "sink"],
];

/** Folders whose files import each other, without cycles (the linter sees to that), and these alone. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  "cli/": ["errors", "expect-header", "probe/", "report/", "size"],
  "probe/": ["errors", "expect-header", "html", "size"],
  "report/": ["errors", "expect-header", "html", "size"],
};

/** Packages from the registry, by the file that imports them. */
const DEPENDENCIES: Readonly<Record<string, readonly string[]>> = {
  admission: ["proxy-addr"],
  "admission-request": ["proxy-addr"],
  digest: ["structured-headers"],
  prometheus: ["prom-client"],
};

const POLICIES_IMPORT = ["errors", "expect-header", "message", "options", "policy", "size"];

interface SourceFile {
  /** Path within src, without extension. */
  readonly name: string;
  readonly imports: readonly string[];
  /** Calls of methods and functions, as text: `res.end`. */
  readonly calls: readonly string[];
  readonly identifiers: ReadonlySet<string>;
  /** Text of strings and templates. */
  readonly strings: readonly string[];
  /** `a.b` and `a["b"]`, as text. */
  readonly properties: readonly string[];
  readonly statements: readonly ts.Statement[];
}

function read(path: string): SourceFile {
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ESNext, true);
  const imports: string[] = [];
  const calls: string[] = [];
  const identifiers = new Set<string>();
  const strings: string[] = [];
  const properties: string[] = [];
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      imports.push((node.moduleSpecifier as ts.StringLiteral).text);
    }
    if (ts.isExternalModuleReference(node)) imports.push(node.expression.getText());
    if (ts.isImportTypeNode(node)) imports.push(node.argument.getText().slice(1, -1));
    if (ts.isCallExpression(node)) {
      const callee = node.expression.getText();
      calls.push(callee);
      const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword || callee.endsWith("require");
      if (isImport) imports.push(node.arguments[0]?.getText().slice(1, -1) ?? "");
    }
    if (ts.isIdentifier(node)) identifiers.add(node.text);
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) strings.push(node.text);
    if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) properties.push(node.getText());
    ts.forEachChild(node, visit);
  };
  visit(source);
  const name = relative(SRC, path).split(sep).join("/").replace(/\.ts$/, "");
  return { name, imports, calls, identifiers, strings, properties, statements: [...source.statements] };
}

const FILES = (readdirSync(SRC, { recursive: true }) as string[])
  .filter((path) => path.endsWith(".ts"))
  .sort()
  .map((path) => read(join(SRC, path)));

const isOurs = (specifier: string) => specifier.startsWith(".");

function targetOf(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, "");
}

function layerOf(name: string): number {
  return LAYERS.findIndex((layer) => layer.includes(patternOf(name)));
}

function patternOf(name: string): string {
  return name.includes("/") ? `${posix.dirname(name)}/*` : name;
}

function folderOf(name: string): string | undefined {
  return Object.keys(FOLDERS).find((folder) => name.startsWith(folder));
}

const named = (isIt: (file: SourceFile) => boolean) => FILES.filter(isIt).map(({ name }) => name);

describe("src", () => {
  beforeAll(() => {
    expect(FILES.length).toBeGreaterThan(15);
  });

  test.each(FILES.map(({ name }) => name))("%s has its place in one layer", (name) => {
    expect(layerOf(name)).toBeGreaterThanOrEqual(0);
  });

  test("no layer names a file that is not there", () => {
    const there = new Set(FILES.map(({ name }) => patternOf(name)));
    expect(LAYERS.flat().filter((name) => !there.has(name))).toEqual([]);
  });

  test.each(FILES.map((file) => [file.name, file] as const))("%s imports downwards alone", (name, { imports }) => {
    const targets = imports.filter(isOurs).map((specifier) => targetOf(name, specifier));
    const folder = folderOf(name);
    const isMate = (target: string) => folder !== undefined && target.startsWith(folder);
    expect(targets.filter((target) => !isMate(target) && layerOf(target) <= layerOf(name))).toEqual([]);
  });

  test.each(FILES.filter(({ name }) => folderOf(name)).map((file) => [file.name, file] as const))(
    "%s imports what its folder may use alone",
    (name, { imports }) => {
      const folder = folderOf(name) as string;
      const allowed = [folder, ...(FOLDERS[folder] as string[])];
      const targets = imports.filter(isOurs).map((specifier) => targetOf(name, specifier));
      const isAllowed = (target: string) =>
        allowed.some((one) => (one.endsWith("/") ? target.startsWith(one) : target === one));
      expect(targets.filter((target) => !isAllowed(target))).toEqual([]);
    },
  );

  test.each(FILES.map((file) => [file.name, file] as const))(
    "%s imports Node, its siblings and the few dependencies it is known for alone",
    (name, { imports }) => {
      const others = imports.filter((specifier) => !/^(?:node:[a-z][\w/]*|\.{1,2}\/[\w./-]+\.js)$/.test(specifier));
      expect(others).toEqual(DEPENDENCIES[name] ?? []);
    },
  );

  test("policies import what every policy may use, and nothing that answers or ends a request", () => {
    const policies = FILES.filter(({ name }) => name.startsWith("policies/"));
    expect(policies.length).toBeGreaterThanOrEqual(4);
    for (const { name, imports } of policies) {
      const targets = imports.filter(isOurs).map((specifier) => targetOf(name, specifier));
      expect({ name, others: targets.filter((target) => !POLICIES_IMPORT.includes(target)) }).toEqual({
        name,
        others: [],
      });
    }
  });

  test("index is a list of names", () => {
    const index = FILES.find(({ name }) => name === "index");
    expect(index?.statements.every((statement) => ts.isExportDeclaration(statement) && statement.exportClause)).toBe(
      true,
    );
  });

  test("only handshake writes a 100", () => {
    const writes100 = ({ calls, strings }: SourceFile) =>
      calls.some((callee) => /\bwriteContinue$/.test(callee)) || strings.some((text) => /^HTTP\/1\.1 1\d\d/.test(text));
    expect(named(writes100)).toEqual(["handshake"]);
  });

  test("only refusal writes a final response", () => {
    const answers = ({ calls, strings }: SourceFile) =>
      calls.some(
        (callee) => /\.(?:writeHead|respond)$/.test(callee) || /\b(?:res|response)\.(?:end|write|send)$/.test(callee),
      ) || strings.some((text) => /^HTTP\/1\.\d [2-5]\d\d/.test(text));
    expect(named(answers)).toEqual(["dashboard", "refusal"]);
  });

  test("only logger uses the console", () => {
    expect(named(({ identifiers }) => identifiers.has("console"))).toEqual(["logger"]);
  });

  test("nothing reads the environment", () => {
    const reads = ({ properties, imports }: SourceFile) =>
      imports.includes("node:process") || properties.some((text) => /^process\??\.?\[?["']?(?:env|argv)\b/.test(text));
    expect(named(reads)).toEqual(["cli/bin"]);
  });

  test("nothing runs on import but declarations", () => {
    const runs = ({ statements }: SourceFile) => statements.some((statement) => ts.isExpressionStatement(statement));
    expect(named(runs)).toEqual(["cli/bin"]);
  });

  test("nothing is a default export", () => {
    const isDefault = (statement: ts.Statement) =>
      ts.isExportAssignment(statement) ||
      (ts.canHaveModifiers(statement) &&
        ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword));
    expect(named(({ statements }) => statements.some(isDefault))).toEqual([]);
  });
});
