import { afterRealMs } from "../../support/real-timer.js";
import { ANSWER_NAMES, ANSWERS, type AnswerName } from "./answers.js";
import { type Behaviour, CLOSE, stores, toHandshakes } from "./behaviour.js";
import { CONTINUE, response, type Served } from "./served.js";

const LATE_MS = 1_500;
const MOST_READ_BYTES = 65_536;

const TOO_LARGE = response("413 Content Too Large", [CLOSE]);
const FAILED = response("417 Expectation Failed", [CLOSE]);
const FORBIDDEN_KEPT = response("403 Forbidden");

/** Refuses uploads without `Expect` as a correct server does. */
function refuses(served: Served): boolean {
  if (!served.head.hasContent || (served.head.expect !== undefined && !served.isFor("100-continue"))) return false;
  served.end(TOO_LARGE);
  return true;
}

const HANDSHAKE_NAMES = [
  "no-continue",
  "late-continue",
  "blind-continue",
  "double-continue",
  "continue-after-final",
  "other-interims",
  "refuse-and-keep",
  "refuse-and-reset",
  "refuse-in-body",
  "refuse-in-body-and-reset",
  "refuse-after-content",
  "expectation-failed",
  "expectation-failed-and-keep",
  "bad-gateway",
  "early-success",
  "no-answer",
  "reset",
  "silence",
  "no-final",
  "no-reading",
  "cut-off",
  "malformed",
] as const;
/** The name of a behaviour. */
export type BehaviourName = (typeof HANDSHAKE_NAMES)[number] | AnswerName;
/** The names of all behaviours. */
export const BEHAVIOUR_NAMES: readonly BehaviourName[] = [...HANDSHAKE_NAMES, ...ANSWER_NAMES];

/** Takes the beginning of the content. */
function partOf({ head, reader }: Served): Promise<string> {
  return reader.bytes(Math.min(MOST_READ_BYTES, Math.max(1, Math.floor(head.length / 2))));
}

/** What servers and proxies do wrong to uploads with `Expect: 100-continue`, each in one way. */
export const BEHAVIOURS: Readonly<Record<BehaviourName, Behaviour>> = {
  /** Waits for the content without a 100, and stores it. */
  "no-continue": toHandshakes(stores()),
  /** Sends the 100 after 1.5 seconds, when most clients have given up waiting. */
  "late-continue": async (served) => {
    if (served.isHandshake) await new Promise<void>((resolve) => void afterRealMs(LATE_MS, resolve));
    return false;
  },
  /** Sends a 100 and then refuses, without having read anything. */
  "blind-continue": toHandshakes((served) => served.end(CONTINUE, TOO_LARGE), refuses),
  /** Sends two 100s. */
  "double-continue": toHandshakes(stores(CONTINUE, CONTINUE)),
  /** Refuses, and sends a 100 behind that. */
  "continue-after-final": toHandshakes((served) => served.end(TOO_LARGE, CONTINUE), refuses),
  /** Sends 102, 103 and 104 before the 100. That is correct, but some clients take one of them for the final status. */
  "other-interims": toHandshakes(
    stores(
      "HTTP/1.1 102 Processing\r\n\r\n",
      "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
      "HTTP/1.1 104 Upload Resumption Supported\r\nLocation: /upload/1\r\n\r\n",
      CONTINUE,
    ),
  ),
  /** Refuses and keeps the connection. The next request on it is taken for the content. */
  "refuse-and-keep": toHandshakes(async (served) => {
    served.send(FORBIDDEN_KEPT);
    await served.content();
  }, refuses),
  /** Refuses and resets the connection at once. */
  "refuse-and-reset": toHandshakes((served) => served.reset(TOO_LARGE), refuses),
  /** Sends a 100, and refuses in the middle of the content, which it goes on to read. */
  "refuse-in-body": toHandshakes(async (served) => {
    served.send(CONTINUE);
    await partOf(served);
    served.end(TOO_LARGE);
  }, refuses),
  /** Sends a 100, refuses in the middle of the content, and resets the connection at once. */
  "refuse-in-body-and-reset": toHandshakes(async (served) => {
    served.send(CONTINUE);
    await partOf(served);
    served.reset(TOO_LARGE);
  }, refuses),
  /** Takes the whole content, and refuses then. */
  "refuse-after-content": toHandshakes(async (served) => {
    served.send(CONTINUE);
    await served.content();
    served.end(response("415 Unsupported Media Type", [CLOSE]));
  }, refuses),
  /** Refuses every `Expect` with 417. Uploads without it are stored. */
  "expectation-failed": toHandshakes((served) => served.end(FAILED)),
  /** The same, and keeps the connection. The next request on it is taken for the content. */
  "expectation-failed-and-keep": toHandshakes(async (served) => {
    served.send(response("417 Expectation Failed"));
    await served.content();
  }),
  /** Fails with 502 for every `Expect`, as a proxy that does not know it. */
  "bad-gateway": toHandshakes((served) => served.end(response("502 Bad Gateway", [CLOSE]))),
  /** Responds with a success at once, and asks for no content. */
  "early-success": toHandshakes((served) => served.end(response("200 OK", [CLOSE]))),
  /** Ends the connection without a response. */
  "no-answer": toHandshakes((served) => served.end()),
  /** Resets the connection without a response. */
  reset: toHandshakes((served) => served.socket.resetAndDestroy()),
  /** Says nothing, ever. */
  silence: toHandshakes((served) => served.reader.end()),
  /** Sends a 100, takes the content, and says nothing more. */
  "no-final": toHandshakes(async (served) => {
    served.send(CONTINUE);
    await served.reader.end();
  }),
  /** Sends a 100, and stops reading. */
  "no-reading": toHandshakes(async (served) => {
    served.send(CONTINUE);
    served.socket.pause();
    await new Promise((resolve) => served.socket.once("close", resolve));
  }),
  /** Ends the connection in the middle of its final response. */
  "cut-off": toHandshakes(
    (served) => served.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\ntoo short"),
    refuses,
  ),
  /** Responds with something that is not HTTP. */
  malformed: toHandshakes((served) => served.end("100 Continue, please\r\n\r\n")),
  ...ANSWERS,
};
