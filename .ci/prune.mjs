// Removes from a build what the package's entries do not lead to: nobody can import it.
import * as fs from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

const SPECIFIER = /\b(?:from|import|require)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g;

/**
 * Removes scripts that no script of an entry loads, and declarations that no declaration of an entry names.
 *
 * @param folder - of one module system.
 * @param entries - scripts, relative to the folder.
 */
export async function prune(folder, entries) {
  const kept = new Set();
  for (const entry of entries) {
    for (const extension of [".js", ".d.ts"]) {
      await follow(join(folder, entry.replace(/\.js$/, extension)), extension, kept);
    }
  }
  const all = await fs.readdir(folder, { recursive: true, withFileTypes: true });
  for (const file of all.filter((one) => one.isFile())) {
    const path = join(file.parentPath, file.name);
    if (/\.js$|\.ts$|\.map$/.test(path) && !kept.has(path.replace(/\.map$/, ""))) await fs.rm(path);
  }
  await removeEmptyFolders(folder);
}

async function follow(file, extension, kept) {
  if (kept.has(file)) return;
  kept.add(file);
  const text = await fs.readFile(file, "utf8");
  for (const [, specifier] of text.matchAll(SPECIFIER)) {
    await follow(resolve(dirname(file), specifier).replace(/(?:\.js)?$/, extension), extension, kept);
  }
}

async function removeEmptyFolders(folder) {
  for (const entry of await fs.readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeEmptyFolders(join(folder, entry.name));
  }
  if ((await fs.readdir(folder)).length === 0) await fs.rmdir(folder);
}
