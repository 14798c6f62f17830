import type { Refusal, Upload, UploadEnd } from "../../src/index.js";

/** What a policy is told, without a server. */
export interface TestUpload extends Upload {
  readonly refusals: Refusal[];
  readonly reports: { message: string; error: unknown }[];
  /** The client leaves, or the time of the policies is up. */
  abort(): void;
  /** The response is finished or the client has left. Callbacks that come later are called at once, as a guard does. */
  close(end?: UploadEnd): void;
}

const STORED: UploadEnd = { status: 201, isRefused: false, isWhole: true };

export function testUpload(fields: Partial<Upload> = {}): TestUpload {
  const controller = new AbortController();
  const callbacks: ((end: UploadEnd) => void)[] = [];
  const refusals: Refusal[] = [];
  const reports: TestUpload["reports"] = [];
  let closed: UploadEnd | undefined;
  return {
    expectation: undefined,
    length: 5,
    mediaType: undefined,
    received: 0,
    isPreflight: false,
    signal: controller.signal,
    refusals,
    reports,
    limitBytes() {},
    requireRate() {},
    refuse: (refusal) => void refusals.push(refusal),
    onClose: (callback) => void (closed ? callback(closed) : callbacks.push(callback)),
    report: (message, error) => void reports.push({ message, error }),
    abort: () => controller.abort(),
    close(end = STORED) {
      closed = end;
      for (const callback of callbacks.splice(0)) callback(end);
    },
    ...fields,
  };
}
