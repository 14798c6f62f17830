import type { Entries } from "./entry.js";
import { client, server } from "./fixes.js";

const PREFLIGHT = server(
  "Express: answer questions with the guards that stand in the way of the upload, all of them.",
  'import { preflight } from "express-expectations";\napp.options("/files/:name", preflight([appGuard, fileGuard]));',
);

/** Findings about questions that a client asks before it uploads. */
export const ASK_ENTRIES: Entries<"ask-differs" | "ask-unanswered" | "ask-matches"> = {
  "ask-differs": {
    severity: "warning",
    title: "a question gets another answer than the upload",
    cause:
      "The guards that answer the question are not those that the upload passes, or something else refuses the upload: the application, a proxy, another route.",
    fixes: [PREFLIGHT, client("Ask with the same fields as the upload has, and with its method in Upload-Method.")],
  },
  "ask-unanswered": {
    severity: "note",
    title: "questions are not answered: no Upload-Verdict",
    cause:
      "The server does not have preflight, or a middleware in front of it answers OPTIONS, such as cors. Clients that ask first upload all the same.",
    fixes: [PREFLIGHT],
  },
  "ask-matches": {
    severity: "note",
    title: "a question gets the answer of the upload",
    cause: "Browsers can ask before they upload, and are told what the upload would be told.",
    fixes: [],
  },
};
