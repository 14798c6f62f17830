import { readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

const NAME = "express-expectations";

/** Returns the version of the package that a program belongs to; `undefined` if none is found. */
export function versionAt(program: string | undefined): string | undefined {
  try {
    let folder = dirname(realpathSync(program ?? ""));
    for (;;) {
      const version = versionIn(folder);
      if (version !== undefined) return version;
      if (dirname(folder) === folder) return undefined;
      folder = dirname(folder);
    }
  } catch {
    return undefined;
  }
}

function versionIn(folder: string): string | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return name === NAME ? String(version) : undefined;
  } catch {
    return undefined;
  }
}
