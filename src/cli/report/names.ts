import { lstat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";

const ORDER = new Intl.Collator("en", { numeric: true });

/**
 * Returns the files that names stand for. A name with `*`, `?`, `[…]`, `{…}` or `**` that is not the name of a file is a pattern.
 *
 * Shells do the same. But a pattern in quotes may stand for more files than fit on a command line.
 *
 * @returns each name that is not a pattern, and the files of each pattern in the order of their names; the pattern itself
 *   if there are none.
 */
export async function namesOf(names: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const name of names) {
    const found = (await isPattern(name)) ? await matches(name) : [name];
    const more = found.filter((file) => !files.includes(file) || file === name);
    files.push(...(found.length === 0 ? [name] : more));
  }
  return files;
}

async function isPattern(name: string): Promise<boolean> {
  return isDynamicPattern(name) && (await lstat(name).catch(() => undefined)) === undefined;
}

async function matches(pattern: string): Promise<string[]> {
  const found = await glob(pattern, { absolute: isAbsolute(pattern), expandDirectories: false, dot: true });
  return found.sort(ORDER.compare);
}
