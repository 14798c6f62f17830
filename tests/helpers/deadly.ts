import { afterAll, afterEach, beforeAll, expect } from "@jest/globals";

/** For the top of a test file: fails each test in which something happened that would have ended the process. */
export function expectNothingDeadly(): void {
  const deadly: unknown[] = [];
  const keep = (error: unknown) => void deadly.push(error);
  beforeAll(() => void process.on("uncaughtException", keep).on("unhandledRejection", keep));
  const expectNone = () => expect(deadly.splice(0)).toEqual([]);
  afterEach(expectNone);
  afterAll(() => {
    process.off("uncaughtException", keep).off("unhandledRejection", keep);
    // What came when the last test was tidied up behind.
    expectNone();
  });
}
