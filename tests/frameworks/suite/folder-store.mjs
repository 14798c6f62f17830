// A folder in which a program stores uploads, and what of it the program still holds open.
import * as fs from "node:fs";
import { join, relative } from "node:path";

export class FolderStore {
  /** @param isCreated - whether an empty file, with one that describes it, is there before the content comes. */
  constructor(folder, pid, { isCreated = false }) {
    this.folder = folder;
    this.pid = pid;
    this.isCreated = isCreated;
  }

  contents() {
    return this.#files().map((name) => contentOf(join(this.folder, name)));
  }

  /** Whether content has arrived. */
  hasBegun() {
    return this.#files().some((name) => !name.endsWith(".json") && this.#sizeOf(name) > 0);
  }

  /** Files, and descriptors of files that have been removed. */
  left() {
    const files = this.#files().filter(
      (name) => !this.isCreated || (!name.endsWith(".json") && this.#sizeOf(name) > 0),
    );
    return [...files, ...this.#descriptors()];
  }

  clear() {
    for (const name of this.#files()) fs.rmSync(join(this.folder, name), { force: true });
  }

  #files() {
    const entries = fs.readdirSync(this.folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((each) => each.isFile())
      .map((each) => relative(this.folder, join(each.parentPath, each.name)));
  }

  // A file may be removed meanwhile.
  #sizeOf(name) {
    return fs.statSync(join(this.folder, name), { throwIfNoEntry: false })?.size ?? 0;
  }

  #descriptors() {
    const folder = `/proc/${this.pid}/fd`;
    if (!fs.existsSync(folder)) return [];
    const targets = fs.readdirSync(folder).map((fd) => targetOf(join(folder, fd)));
    return targets.filter((target) => target.startsWith(`${this.folder}/`) && target.endsWith(" (deleted)"));
  }
}

// A temporary file may be gone by now.
function contentOf(path) {
  try {
    return fs.readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}

// A descriptor that is closed meanwhile has no target.
function targetOf(path) {
  try {
    return fs.readlinkSync(path);
  } catch {
    return "";
  }
}
