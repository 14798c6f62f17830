import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import type { Refusal } from "../http/refusal.js";
import { optionError } from "../support/errors.js";
import { markFactory } from "../support/factories.js";
import { optionalCount, requireKnownKeys } from "../support/options.js";
import { parseSize } from "../support/size.js";
import { whenContentEnds } from "./content-end.js";
import { named } from "./names.js";
import { asksForLimits, type Policy, type Upload, type Verdict } from "./policy.js";
import { refuse } from "./refuse.js";
import { LENGTH_REQUIRED, largerThanCounted } from "./unknown-length.js";
import { type Volume, volumeAt } from "./volume.js";

/** Options of {@link diskSpace}. */
export interface DiskSpaceOptions {
  /** A file or folder on the file system that uploads are stored on. Policies with the same path count together. */
  path: string;
  /** What uploads may not take: bytes, or a size such as `"1gb"`; 0 for nothing. */
  keepFree: number | string;
  /**
   * Bytes, or a size such as `"100mb"`, that an upload of unknown length counts as. It may not be larger. Without it,
   * such an upload is refused with 411.
   */
  unknownLengthCost?: number | string;
  /** The value of `Retry-After`, in seconds. Default 60. */
  retryAfterSeconds?: number;
}

const OPTION_KEYS = [
  "path",
  "keepFree",
  "unknownLengthCost",
  "retryAfterSeconds",
] as const satisfies readonly (keyof DiskSpaceOptions)[];

/** Refuses an upload while the file system does not say what is free. */
const UNKNOWN: Refusal = refuse(503, {
  reason: "the free disk space cannot be read at present",
  headers: { "Retry-After": 10 },
});

/**
 * Refuses an upload for which the file system has no room, before it is sent: with 507 and `Retry-After`.
 *
 * The room is what is free, less `keepFree`, less what uploads in flight have announced and not brought yet. The file
 * system is asked at most once a second. If it does not answer, the upload is refused with 503, and the error is logged.
 *
 * Counts the uploads of this process. Content that has arrived counts as written. Accepts a request without content.
 *
 * @param options - see {@link DiskSpaceOptions}; `path` and `keepFree` are required.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for a missing, unknown or wrong option.
 * @example diskSpace({ path: "/srv/uploads", keepFree: "5gb" })
 * @see RFC 4918 §11.5 (507)
 */
export function diskSpace<Req extends HttpRequest = IncomingMessage>(options: DiskSpaceOptions): Policy<Req> {
  requireKnownKeys("diskSpace", options, OPTION_KEYS);
  const path = readPath(options.path);
  const keepFree = options.keepFree === 0 ? 0 : parseSize(options.keepFree, "diskSpace({ keepFree })");
  const unknownLengthCost =
    options.unknownLengthCost === undefined
      ? undefined
      : parseSize(options.unknownLengthCost, "diskSpace({ unknownLengthCost })");
  const retryAfter = optionalCount("diskSpace({ retryAfterSeconds })", options.retryAfterSeconds, 60);
  const larger = largerThanCounted(unknownLengthCost);
  const full = refusalOfFull(retryAfter);
  const volume = volumeAt(path);

  function judge(req: Req, upload: Upload, bytes: number): Verdict {
    const { available } = volume;
    if (available === undefined) return unknown(volume, upload);
    if (!(bytes <= available - keepFree)) return full(available - keepFree);
    if (upload.length === undefined) upload.limitBytes(bytes, larger);
    if (!upload.isPreflight) reserve(volume, req, upload, bytes);
    return true;
  }

  return named("diskSpace", (req: Req, upload: Upload) => {
    const bytes = upload.length ?? unknownLengthCost;
    if (bytes === 0 || asksForLimits(upload)) return true;
    if (bytes === undefined) return LENGTH_REQUIRED;
    return volume.isFresh ? judge(req, upload, bytes) : volume.update().then(() => judge(req, upload, bytes));
  });
}

markFactory(diskSpace, 'diskSpace({ path: "/srv/uploads", keepFree: "5gb" })');

function readPath(path: unknown): string {
  if (typeof path === "string" && path !== "" && !path.includes("\0")) return path;
  throw optionError("diskSpace({ path })", path, "the path of a file or folder");
}

function unknown(volume: Volume, upload: Upload): Refusal {
  const failure = volume.takeFailure();
  if (failure !== undefined) upload.report(`diskSpace: the file system of ${volume.path} failed`, failure);
  return UNKNOWN;
}

// The last refusal is used again while it is true: a full disk may be asked for thousands of times a second.
function refusalOfFull(retryAfter: number): (room: number) => Refusal {
  let last: { readonly room: number; readonly refusal: Refusal } | undefined;
  return (room) => {
    if (last?.room === room) return last.refusal;
    const bytes = Math.max(0, room);
    const refusal = refuse(507, {
      reason: `not enough disk space: ${bytes} bytes are free for uploads`,
      headers: { "Retry-After": retryAfter },
      problem: { available_bytes: bytes },
    });
    last = { room, refusal };
    return refusal;
  };
}

function reserve(volume: Volume, req: HttpRequest, upload: Upload, bytes: number): void {
  const release = volume.reserve(upload, bytes);
  upload.onClose((end) => whenContentEnds(req, upload, end, bytes, release));
}
