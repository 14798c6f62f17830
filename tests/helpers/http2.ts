import { once } from "node:events";
import * as http2 from "node:http2";
import { deadline } from "./deadline.js";
import type { RunningServer } from "./servers.js";

export interface Http2Exchange {
  readonly status: number;
  readonly headers: http2.IncomingHttpHeaders;
  readonly body: string;
  readonly hasContinue: boolean;
  readonly bodySent: number;
}

/** Opens a session; close it with `session.close()` or let {@link closeSessions} do it. */
export async function openSession({ port, isTls }: RunningServer): Promise<http2.ClientHttp2Session> {
  const session = http2.connect(`${isTls ? "https" : "http"}://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.on("error", () => {});
  await once(session, "connect");
  sessions.add(session);
  return session;
}

const sessions = new Set<http2.ClientHttp2Session>();

export function closeSessions(): void {
  for (const session of sessions) session.destroy();
  sessions.clear();
}

/**
 * One request on a session, whose content is sent when the 100 comes (`content`), or at once (`sendAtOnce`).
 */
export function exchange(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  { content = "", sendAtOnce = false, waitMs = 8_000 } = {},
): Promise<Http2Exchange> {
  const deadlineMs = deadline(waitMs);
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, { endStream: false });
    let hasContinue = false;
    let bodySent = 0;
    let response: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
    let body = "";
    const send = () => {
      bodySent = content.length;
      stream.end(content);
    };
    const timer = setTimeout(() => {
      stream.close(http2.constants.NGHTTP2_CANCEL);
      reject(
        new Error(`not within ${deadlineMs} ms: the end of ${String(headers[":path"])}, status ${response[":status"]}`),
      );
    }, deadlineMs);
    stream.setEncoding("latin1");
    stream.on("headers", (interim) => {
      if (interim[":status"] !== 100) return;
      hasContinue = true;
      send();
    });
    stream.on("response", (received) => {
      response = received;
    });
    stream.on("data", (chunk: string) => {
      body += chunk;
    });
    stream.on("error", () => {});
    stream.on("end", () => {
      if (!stream.writableEnded) stream.end();
    });
    stream.on("close", () => {
      clearTimeout(timer);
      resolve({ status: response[":status"] ?? 0, headers: response, body, hasContinue, bodySent });
    });
    if (sendAtOnce) send();
  });
}
