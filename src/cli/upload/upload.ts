import { UploadError } from "../../client/error.js";
import type { UploadOptions } from "../../client/options.js";
import { upload } from "../../client/upload.js";
import { visible } from "../../report/visible.js";
import { ExpectationError } from "../../support/errors.js";
import type { Command, Terminal } from "../command.js";
import { Progress } from "../report/progress.js";
import { paintOf, print } from "../terminal.js";
import { WRONG_USAGE } from "../usage.js";
import { parseUploadArgs, type UploadCommandOptions } from "./options.js";
import { statusLine, uploadJson, uploadText } from "./text.js";

const OTHER_STATUS = 1;
const NO_RESPONSE = 3;

/** The command `upload`: uploads a file, and sends nothing of it before the server has agreed. */
export const uploadFile: Command = async (args, terminal) => {
  const fail = (message: string, code: number) => {
    terminal.stderr.write(`express-expectations upload: ${message}\n`);
    return code;
  };
  try {
    return await run(parseUploadArgs(args), terminal);
  } catch (error) {
    if (error instanceof ExpectationError) return fail(visible(error.message), WRONG_USAGE);
    if (error instanceof UploadError) return fail(visible(error.message), NO_RESPONSE);
    throw error;
  }
};

async function run(options: UploadCommandOptions, terminal: Terminal): Promise<number> {
  const paint = paintOf(terminal, options.color);
  const startedAt = performance.now();
  let progress: Progress | undefined;
  let doneBytes = 0;
  const onProgress: UploadOptions["onProgress"] = ({ sentBytes, totalBytes }) => {
    if (options.isQuiet) return;
    // A repeated upload begins again.
    if (sentBytes < doneBytes) {
      progress = undefined;
      doneBytes = 0;
    }
    progress ??= new Progress(terminal, totalBytes, "uploading");
    progress.advance(sentBytes - doneBytes);
    doneBytes = sentBytes;
  };
  const { url, method, headers, expectTimeoutMs, idleTimeoutMs, maxRedirects } = options;
  const result = await upload(url, {
    ...{ method, headers, expectTimeoutMs, idleTimeoutMs, maxRedirects, onProgress },
    body: options.file === "-" ? terminal.stdin : { file: options.file },
    tls: {
      ...options.certificates,
      ...(options.isInsecure && { rejectUnauthorized: false }),
      ...(options.isHttp1 && { ALPNProtocols: ["http/1.1"] }),
    },
  }).finally(() => progress?.end());
  const durationMs = performance.now() - startedAt;
  if (options.isJson) await print(terminal.stdout, uploadJson(result, durationMs));
  else if (options.isQuiet) await print(terminal.stdout, `${statusLine(result, paint)}\n`);
  else await print(terminal.stdout, uploadText(result, expectTimeoutMs, durationMs, paint));
  return result.status < 300 ? 0 : OTHER_STATUS;
}
