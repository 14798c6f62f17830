// Where in a source file a change is, in words that stay true when lines move.
import ts from "typescript";

const LONGEST = 90;
const files = new Map();

/** The places of one source file, parsed once. */
export function placesIn(name, text) {
  let file = files.get(name);
  if (!file) {
    file = new SourceFile(name, text);
    files.set(name, file);
  }
  return file;
}

class SourceFile {
  #name;
  #text;
  #ast;
  #starts;

  constructor(name, text) {
    this.#name = name;
    this.#text = text;
    this.#ast = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
    this.#starts = this.#ast.getLineStarts();
  }

  /**
   * Describes a change.
   *
   * @param location - Stryker's: `{ start, end }`, each with `line` and `column` from 0.
   */
  describe({ start, end }, replacement) {
    const from = this.#starts[start.line] + start.column;
    const to = this.#starts[end.line] + end.column;
    const change = `${short(this.#text.slice(from, to))} → ${short(replacement)}`;
    const within = this.#nameAround(from, to);
    return { file: this.#name, line: start.line + 1, within, change };
  }

  #nameAround(from, to) {
    const names = [];
    let node = this.#ast;
    for (;;) {
      const inner = ts.forEachChild(node, (child) =>
        child.getStart(this.#ast) <= from && child.end >= to ? child : undefined,
      );
      if (!inner) break;
      const name = nameOf(inner);
      if (name !== undefined) names.push(name);
      node = inner;
    }
    return names.join(".") || "(top)";
  }
}

function nameOf(node) {
  const isNamed =
    ts.isFunctionDeclaration(node) ||
    ts.isClassDeclaration(node) ||
    ts.isMethodDeclaration(node) ||
    ts.isGetAccessor(node) ||
    ts.isSetAccessor(node) ||
    ts.isPropertyDeclaration(node) ||
    (ts.isVariableDeclaration(node) &&
      (ts.isVariableStatement(node.parent.parent) ? isTop(node) || isFunction(node) : false));
  if (ts.isConstructorDeclaration(node)) return "constructor";
  return isNamed ? node.name?.getText() : undefined;
}

function isTop(node) {
  return ts.isSourceFile(node.parent.parent.parent);
}

function isFunction({ initializer }) {
  return initializer !== undefined && (ts.isArrowFunction(initializer) || ts.isFunctionExpression(initializer));
}

function short(text) {
  const line = text.replace(/\s+/g, " ");
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST - 20)} … ${line.slice(-15)}`;
}
