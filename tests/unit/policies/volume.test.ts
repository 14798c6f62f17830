import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { Volume } from "../../../src/policies/volume.js";
import * as fc from "../../helpers/properties.js";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const GIB = 2 ** 30;

/** A file system whose answers the test gives. */
class FileSystem {
  free = 1_000;
  asked = 0;
  open = 0;
  mostOpen = 0;
  answer: () => Promise<{ bavail: number; bsize: number }> = async () => ({ bavail: this.free, bsize: 1 });

  readonly ask = async () => {
    this.asked++;
    this.mostOpen = Math.max(this.mostOpen, ++this.open);
    try {
      return await this.answer();
    } finally {
      this.open--;
    }
  };
}

function volume(files = new FileSystem()) {
  return { files, volume: new Volume("/uploads", files.ask) };
}

async function updated({ volume }: { volume: Volume }): Promise<void> {
  jest.advanceTimersByTime(1_000);
  await volume.update();
}

const uploadOf = (received = 0) => ({ received });

describe("the file system", () => {
  test("is not asked before somebody wants to know", () => {
    const { files, volume: made } = volume();
    expect([made.isFresh, made.free, made.available, files.asked]).toEqual([false, undefined, undefined, 0]);
  });

  test("is asked once a second at most, and once for all who wait", async () => {
    const { files, volume: made } = volume();
    await Promise.all(Array.from({ length: 100 }, () => made.update()));
    expect([files.asked, made.free, made.isFresh]).toEqual([1, 1_000, true]);
    jest.advanceTimersByTime(999);
    await made.update();
    expect(files.asked).toBe(1);
    jest.advanceTimersByTime(1);
    expect(made.isFresh).toBe(false);
    await made.update();
    expect(files.asked).toBe(2);
  });

  test("that fails leaves nothing available, and is asked again a second later", async () => {
    const set = volume();
    await updated(set);
    set.files.answer = () => Promise.reject(new Error("EIO"));
    await updated(set);
    expect(set.volume).toMatchObject({ available: undefined, free: undefined, isFresh: true });
    expect(set.volume.takeFailure()).toEqual(new Error("EIO"));
    expect(set.volume.takeFailure()).toBeUndefined();
    set.files.answer = async () => ({ bavail: 7, bsize: 1 });
    await set.volume.update();
    expect([set.files.asked, set.volume.available]).toEqual([2, undefined]);
    await updated(set);
    expect(set.volume.available).toBe(7);
  });

  test("that does not answer is given up after two seconds, and not asked a second time until it has answered", async () => {
    const { files, volume: made } = volume();
    let answer = (_value: { bavail: number; bsize: number }) => {};
    files.answer = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const waiting = made.update();
    await jest.advanceTimersByTimeAsync(1_999);
    expect(files.asked).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    await waiting;
    expect(made.takeFailure()).toEqual(new Error("no answer within 2000 ms"));
    for (let i = 0; i < 50; i++) {
      jest.advanceTimersByTime(1_000);
      // At once: nobody else waits for the same answer.
      await made.update();
      expect(made.available).toBeUndefined();
    }
    expect(made.takeFailure()).toEqual(new Error("the file system has not answered an earlier question"));
    expect([files.asked, files.mostOpen]).toEqual([1, 1]);
    expect(jest.getTimerCount()).toBe(0);

    answer({ bavail: 1, bsize: 1 });
    await jest.advanceTimersByTimeAsync(1_000);
    files.answer = async () => ({ bavail: 5, bsize: 2 });
    await made.update();
    expect([files.asked, made.available]).toEqual([2, 10]);
  });

  test("leaves no timer when it has answered", async () => {
    const { volume: made } = volume();
    await made.update();
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe("what is available", () => {
  test("is less by what was reserved, until that has arrived or will not come", async () => {
    const set = volume();
    await updated(set);
    const upload = uploadOf();
    const end = set.volume.reserve(upload, 600);
    expect([set.volume.available, set.volume.expected]).toEqual([400, 600]);
    // Half of it is on the disk; the last answer counts it as free.
    upload.received = 300;
    expect([set.volume.available, set.volume.expected]).toEqual([400, 300]);
    set.files.free = 700;
    await updated(set);
    expect(set.volume.available).toBe(400);
    // The client leaves.
    end();
    expect([set.volume.available, set.volume.expected]).toEqual([700, 0]);
    set.files.free = 1_000;
    await updated(set);
    expect(set.volume.available).toBe(1_000);
  });

  test("keeps what has come since the last answer", async () => {
    const set = volume();
    await updated(set);
    const upload = uploadOf();
    const end = set.volume.reserve(upload, 600);
    upload.received = 600;
    end();
    // 600 bytes are on the disk, and the last answer does not know.
    expect(set.volume.available).toBe(400);
    set.files.free = 400;
    await updated(set);
    expect(set.volume.available).toBe(400);
  });

  test("counts what an upload brought beyond its length for nothing", async () => {
    const set = volume();
    await updated(set);
    const upload = uploadOf();
    const end = set.volume.reserve(upload, 100);
    upload.received = 5_000;
    expect(set.volume.expected).toBe(0);
    end();
    expect(set.volume.available).toBe(900);
  });

  test("is counted before the file system answers: what arrives meanwhile is counted twice rather than not", async () => {
    const set = volume();
    await updated(set);
    const upload = uploadOf();
    set.volume.reserve(upload, 600);
    set.files.answer = async () => {
      upload.received = 600;
      return { bavail: 1_000, bsize: 1 };
    };
    await updated(set);
    expect(set.volume.available).toBe(400);
  });

  test("is right beyond 4 GiB", async () => {
    const set = volume();
    set.files.answer = async () => ({ bavail: 2 ** 32, bsize: 4_096 });
    await updated(set);
    set.volume.reserve(uploadOf(), 5 * GIB);
    expect(set.volume.available).toBe(2 ** 44 - 5 * GIB);
  });
});

test("uploads never take more than was free, in whatever order they come, arrive, end and are counted", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.record({ kind: fc.constant("ask" as const), bytes: fc.integer({ min: 1, max: 500 }) }),
          fc.record({ kind: fc.constant("arrive" as const), at: fc.nat(20), bytes: fc.integer({ min: 1, max: 300 }) }),
          fc.record({ kind: fc.constant("end" as const), at: fc.nat(20), isKept: fc.boolean() }),
          fc.record({ kind: fc.constant("second" as const) }),
        ),
        { maxLength: 60 },
      ),
      async (steps) => {
        const set = volume();
        await updated(set);
        const uploads: { received: number; bytes: number; end: () => void }[] = [];
        for (const step of steps) {
          if (step.kind === "second") await updated(set);
          else if (step.kind === "ask") {
            if (step.bytes > (set.volume.available ?? 0)) continue;
            const upload = { received: 0, bytes: step.bytes, end: () => {} };
            upload.end = set.volume.reserve(upload, step.bytes);
            uploads.push(upload);
          } else {
            const upload = uploads[step.at % Math.max(1, uploads.length)];
            if (!upload) continue;
            if (step.kind === "arrive") {
              const bytes = Math.min(step.bytes, upload.bytes - upload.received);
              upload.received += bytes;
              set.files.free -= bytes;
            } else {
              uploads.splice(uploads.indexOf(upload), 1);
              upload.end();
              if (!step.isKept) set.files.free += upload.received;
            }
          }
          const outstanding = uploads.reduce((sum, { bytes, received }) => sum + bytes - received, 0);
          // All that is in flight still has its place.
          expect(outstanding).toBeLessThanOrEqual(set.files.free);
          expect(set.volume.expected).toBe(outstanding);
          expect(set.volume.available).toBeLessThanOrEqual(set.files.free - outstanding);
        }
      },
    ),
  );
});
