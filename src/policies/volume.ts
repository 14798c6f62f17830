import { statfs } from "node:fs/promises";
import { resolve } from "node:path";
import { type Space, spaces } from "../support/spaces.js";
import type { Upload } from "./policy.js";
import { withTimeout } from "./with-timeout.js";

/** How long an answer of the file system is used, in milliseconds. */
const FRESH_MS = 1_000;
/** How long the file system may take to answer, in milliseconds. */
const ANSWER_MS = 2_000;

/** An accepted upload, and the bytes that it announced. */
interface Announced {
  readonly upload: Pick<Upload, "received">;
  readonly bytes: number;
}

type AskFileSystem = (path: string) => Promise<{ readonly bavail: number; readonly bsize: number }>;

/**
 * The space of a file system, and the uploads that will take some of it.
 *
 * The file system is asked at most once a second, and one question is under way at a time. In between, the space is
 * that of the last answer, less what accepted uploads had still to bring at that time, less what later ones announced.
 * Content that comes in between does not change that: it takes space that the last answer still counted as free.
 */
export class Volume implements Space {
  readonly #uploads = new Set<Announced>();
  #free: number | undefined;
  #failure: unknown;
  /** Bytes that the last answer counted as free, and that accepted uploads have taken since or will take. */
  #reserved = 0;
  #freshUntil = Number.NEGATIVE_INFINITY;
  #isAsking = false;
  #updating: Promise<void> | undefined;

  constructor(
    readonly path: string,
    readonly ask: AskFileSystem = statfs,
  ) {}

  /** Whether the last answer, or the last failure, is young enough to be used. */
  get isFresh(): boolean {
    return performance.now() < this.#freshUntil;
  }

  get free(): number | undefined {
    return this.#free;
  }

  get expected(): number {
    let bytes = 0;
    for (const announced of this.#uploads) bytes += outstanding(announced);
    return bytes;
  }

  /** Bytes that are reserved for no upload; `undefined` if the file system did not answer. May be negative. */
  get available(): number | undefined {
    return this.#free === undefined ? undefined : this.#free - this.#reserved;
  }

  update(): Promise<void> {
    if (this.isFresh) return Promise.resolve();
    this.#updating ??= this.#update().finally(() => {
      this.#updating = undefined;
    });
    return this.#updating;
  }

  async #update(): Promise<void> {
    const askedAt = performance.now();
    // Before the answer: what comes meanwhile is then counted twice, and not left out.
    this.#reserved = this.expected;
    try {
      const { bavail, bsize } = await withTimeout(this.#answer(), ANSWER_MS);
      this.#free = bavail * bsize;
      this.#failure = undefined;
    } catch (error) {
      this.#free = undefined;
      this.#failure = error;
    }
    this.#freshUntil = askedAt + FRESH_MS;
  }

  // A network file system whose server is gone may never answer, and each question holds one of the few threads that
  // Node has for files.
  async #answer(): ReturnType<AskFileSystem> {
    if (this.#isAsking) throw new Error("the file system has not answered an earlier question");
    this.#isAsking = true;
    return this.ask(this.path).finally(() => {
      this.#isAsking = false;
    });
  }

  /** Returns why the file system did not answer, once for each failure. */
  takeFailure(): unknown {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  /**
   * Reserves space for an upload.
   *
   * @returns releases what has not arrived; to be called once, when no more of its content will come.
   */
  reserve(upload: Pick<Upload, "received">, bytes: number): () => void {
    const announced: Announced = { upload, bytes };
    this.#uploads.add(announced);
    this.#reserved += bytes;
    return () => {
      this.#uploads.delete(announced);
      this.#reserved -= outstanding(announced);
    };
  }
}

function outstanding({ upload, bytes }: Announced): number {
  return Math.max(0, bytes - upload.received);
}

/** Returns the volume of a path. All policies with the same path get the same one, so that they count together. */
export function volumeAt(path: string): Volume {
  const absolute = resolve(path);
  const known = spaces().get(absolute) as Volume | undefined;
  if (known) return known;
  const volume = new Volume(absolute);
  spaces().set(absolute, volume);
  return volume;
}
