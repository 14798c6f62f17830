import type { ExchangeResult } from "../exchange-result.js";
import { isFinal } from "../summary.js";
import { fieldOf } from "../wire/header-section.js";
import { type Exchanges, statusOf } from "./exchanges-by-id.js";

/** How the answer to a question compares with the answer to the upload. */
type Comparison = "unanswered" | "matches" | "differs";

/** Returns the questions that compare so with their uploads, each followed by its upload. */
export function questionsWith(wanted: Comparison, seen: Exchanges): ExchangeResult[] {
  const pairs = [
    // Without `Expect`, as the clients that ask upload. It runs only with consent.
    [seen.asked, seen.control ?? seen.withheld],
    [seen["asked-large"], seen.large],
  ] as const;
  return pairs.flatMap(([asked, upload]) => {
    if (!asked || compare(asked, upload) !== wanted) return [];
    return upload && wanted !== "unanswered" ? [asked, upload] : [asked];
  });
}

function compare(asked: ExchangeResult, upload: ExchangeResult | undefined): Comparison | undefined {
  const told = verdictOf(asked);
  if (told === undefined) return "unanswered";
  const got = upload && outcomeOf(upload);
  if (upload === undefined || got === undefined) return undefined;
  // A policy may refuse with a status of success: the server has the content already.
  // No question is answered with 417: it has no expectation that could fail.
  const isSame = told === got || told === statusOf(upload) || (told === 403 && got === 417);
  return isSame ? "matches" : "differs";
}

type Told = "accepted" | number;

function verdictOf({ events }: ExchangeResult): Told | undefined {
  const final = events.find(isFinal);
  const verdict = final && fieldOf(final.lines, "upload-verdict");
  if (verdict === "accept") return "accepted";
  return verdict === "refuse" ? final?.status : undefined;
}

// Undefined if the upload got no answer: another finding tells that.
function outcomeOf(upload: ExchangeResult): Told | undefined {
  const status = statusOf(upload);
  if (status >= 400) return status;
  return status > 0 || upload.summary.continues > 0 ? "accepted" : undefined;
}
