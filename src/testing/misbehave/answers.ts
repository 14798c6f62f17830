import { type Behaviour, CLOSE, stores, toHandshakes } from "./behaviour.js";
import { CONTINUE, response, type Served } from "./served.js";

/** The names of answers that are not those of an endpoint for uploads, or not those of HTTP. */
export const ANSWER_NAMES = [
  "not-found",
  "method-not-allowed",
  "unauthorized",
  "forbidden",
  "redirect",
  "bad-request",
  "server-error",
  "unknown-status",
  "success-to-all",
  "conflicting-lengths",
  "endless-interims",
  "endless-responses",
  "endless-head",
  "endless-content",
  "switching-protocols",
  "continue-to-http10",
  "continue-to-all",
  "ignores-unknown",
] as const;
/** The name of such an answer. */
export type AnswerName = (typeof ANSWER_NAMES)[number];

/** Applies to all uploads, with `Expect` and without. */
function toUploads(act: (served: Served) => unknown): Behaviour {
  return async (served) => {
    if (!served.head.hasContent) return false;
    await act(served);
    return true;
  };
}

/** Writes a text again and again, as fast as it is read, until the connection ends. */
function forEver({ socket }: Served, text: string, first = ""): Promise<void> {
  socket.write(first);
  const more = () => {
    while (socket.writable && socket.write(text.repeat(100)));
  };
  socket.on("drain", more);
  more();
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

/** Answers that are not those of an endpoint for uploads, or not those of HTTP. */
export const ANSWERS: Readonly<Record<AnswerName, Behaviour>> = {
  /** Answers every upload with 404, as an endpoint that is somewhere else. */
  "not-found": toUploads((served) => served.end(response("404 Not Found", [CLOSE]))),
  /** Answers every upload with 405, and says that it allows GET. */
  "method-not-allowed": toUploads((served) => served.end(response("405 Method Not Allowed", [CLOSE, "Allow: GET"]))),
  /** Answers every upload with 401. */
  unauthorized: toUploads((served) =>
    served.end(response("401 Unauthorized", [CLOSE, 'WWW-Authenticate: Basic realm="x"'])),
  ),
  /** Answers every upload with 403. */
  forbidden: toUploads((served) => served.end(response("403 Forbidden", [CLOSE]))),
  /** Answers every upload with 301. */
  redirect: toUploads((served) => served.end(response("301 Moved Permanently", [CLOSE, "Location: /elsewhere"]))),
  /** Answers every upload with 400. */
  "bad-request": toUploads((served) => served.end(response("400 Bad Request", [CLOSE]))),
  /** Answers every upload with 500. */
  "server-error": toUploads((served) => served.end(response("500 Internal Server Error", [CLOSE]))),
  /** Answers every upload with 999, which HTTP does not have. */
  "unknown-status": toUploads((served) => served.end(response("999 Request Denied", [CLOSE]))),
  /** Answers every upload with 201 at once, and reads nothing of it. */
  "success-to-all": toUploads((served) => served.end(response("201 Created", [CLOSE]))),
  /** Refuses with two values of Content-Length that differ. */
  "conflicting-lengths": toHandshakes((served) =>
    served.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno"),
  ),
  /** Sends 102 without end. */
  "endless-interims": toHandshakes((served) => forEver(served, "HTTP/1.1 102 Processing\r\n\r\n")),
  /** Sends final responses without end. */
  "endless-responses": toHandshakes((served) => forEver(served, response("403 Forbidden"))),
  /** Sends a header section without end. */
  "endless-head": toHandshakes((served) => forEver(served, "X-More: more\r\n", "HTTP/1.1 403 Forbidden\r\n")),
  /** Refuses with content without end. */
  "endless-content": toHandshakes((served) =>
    forEver(served, "more ", "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n"),
  ),
  /** Answers with 101, which nobody asked for. */
  "switching-protocols": toHandshakes((served) =>
    served.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
  ),
  /** Sends a 100 to HTTP/1.0, too, which has none. */
  "continue-to-http10": (served) => {
    if (served.isFor("100-continue") && served.head.version === "1.0") served.send(CONTINUE);
    return false;
  },
  /** Sends a 100 for every expectation, and so promises what it does not know. */
  "continue-to-all": async (served) => {
    if (served.isHandshake || !served.head.hasContent || !served.head.expect) return false;
    await stores(CONTINUE)(served);
    return true;
  },
  /** Waits for the content of an unknown expectation, and stores it. */
  "ignores-unknown": async (served) => {
    if (served.isHandshake || !served.head.hasContent || !served.head.expect) return false;
    await stores()(served);
    return true;
  },
};
