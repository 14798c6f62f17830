/** Options of {@link upload} and {@link ask}; all are optional. */
export interface UploadOptions {
  /** Where to ask, by `POST`. Default: at the upload's own URL, by `OPTIONS`. */
  preflight?: string | URL | undefined;
  /** The method of the upload. Default `"PUT"`. */
  method?: string | undefined;
  /** Fields of the upload, such as `Authorization`. The question has them, too. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Whether cookies go to another origin. Default `false`. */
  withCredentials?: boolean | undefined;
  /** Called while content is sent, with the bytes that have been sent and the bytes that there are. */
  onProgress?: ((sent: number, total: number) => void) | undefined;
  /** Aborts the question or the upload. */
  signal?: AbortSignal | undefined;
}

/** The answer of the server: to the upload, or to the question if that refused it. */
export interface UploadResult {
  readonly status: number;
  /** Whether the status is 2xx. */
  readonly ok: boolean;
  /** `false` if the question was refused, and no content was sent. */
  readonly isSent: boolean;
  /** Why it failed, in the words of the server; `undefined` if it is `ok`. */
  readonly reason: string | undefined;
  /** The largest upload in bytes, if the server tells it. */
  readonly maxSize: number | undefined;
  /** The body of the response. */
  readonly body: string;
}

/** A server that does not answer a question within this time is uploaded to. Its guards have 10 seconds. */
const QUESTION_MS = 15_000;

/**
 * Asks whether a file may be uploaded, and then uploads it.
 *
 * Resolves with the refusal, without a byte of content being sent, or with the final response to the upload. A server that
 * does not know the question is uploaded to at once. If the connection ends in the middle of the upload, asks again, so
 * that a refusal which did not arrive is told all the same.
 *
 * @param url - the target of the upload.
 * @param file - what to upload. Its `type` is the `Content-Type` unless `headers` has one.
 * @returns rejects with a `TypeError` if there is no response, and with the signal's reason if it is aborted.
 * @example const { ok, reason } = await upload("/images/7", file, { onProgress: (sent) => { bar.value = sent; } });
 */
export async function upload(url: string | URL, file: Blob, options: UploadOptions = {}): Promise<UploadResult> {
  const refusal = await ask(url, file, options);
  if (refusal) return refusal;
  try {
    return resultOf(await send(options.method ?? "PUT", url, new Headers(options.headers), options, file), true);
  } catch (error) {
    // The refusal may have been lost (docs/facts.md, "Browsers and refusals in mid-body").
    const late = await ask(url, file, options);
    if (late) return { ...late, isSent: true };
    throw error;
  }
}

/**
 * Asks whether a file may be uploaded. Sends no content.
 *
 * @returns the refusal; `undefined` if the server accepts, does not know the question or does not answer. Rejects with the
 *   signal's reason if it is aborted.
 * @example if (await ask("/images/7", file)) return;
 */
export async function ask(
  url: string | URL,
  file: Blob,
  options: UploadOptions = {},
): Promise<UploadResult | undefined> {
  const { preflight, method = "PUT", signal } = options;
  const headers = new Headers(options.headers);
  if (file.type && !headers.has("Content-Type")) headers.set("Content-Type", file.type);
  headers.set("Upload-Method", method);
  headers.set("Upload-Length", `${file.size}`);
  try {
    const answer = await send(preflight ? "POST" : "OPTIONS", preflight ?? url, headers, options);
    return answer.getResponseHeader("Upload-Verdict") === "refuse" ? resultOf(answer, false) : undefined;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

// `fetch` reports no progress of what it sends.
function send(
  method: string,
  url: string | URL,
  headers: Headers,
  { withCredentials, onProgress, signal }: UploadOptions,
  file?: Blob,
): Promise<XMLHttpRequest> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open(method, url);
    request.withCredentials = withCredentials === true;
    headers.forEach((value, name) => {
      request.setRequestHeader(name, value);
    });
    if (!file) request.timeout = QUESTION_MS;
    else if (onProgress) request.upload.onprogress = ({ loaded, total }) => onProgress(loaded, total);
    request.onloadend = () => {
      signal?.removeEventListener("abort", abort);
      if (request.status) resolve(request);
      else reject(signal?.aborted ? signal.reason : new TypeError("network error"));
    };
    signal?.addEventListener("abort", abort);
    request.send(file);
  });
}

function resultOf(response: XMLHttpRequest, isSent: boolean): UploadResult {
  const { status, responseText: body } = response;
  const ok = status >= 200 && status < 300;
  if (ok) return { status, ok, isSent, reason: undefined, maxSize: undefined, body };
  const limit = /max-size=(\d+)/.exec(response.getResponseHeader("Upload-Limit") ?? "");
  return { status, ok, isSent, reason: reasonOf(response), maxSize: limit ? Number(limit[1]) : undefined, body };
}

// In problem details (RFC 9457) `detail` explains this one problem, and `title` its kind.
function reasonOf(response: XMLHttpRequest): string {
  const { status, statusText, responseText } = response;
  const type = response.getResponseHeader("Content-Type") ?? "";
  let reason: unknown;
  if (type.startsWith("text/plain")) reason = responseText;
  if (type.includes("json")) {
    try {
      const { detail, title } = JSON.parse(responseText);
      reason = detail || title;
    } catch {}
  }
  return typeof reason === "string" && reason ? reason : statusText || `status ${status}`;
}
