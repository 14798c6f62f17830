import type { FindingCode } from "../finding.js";
import { ASK_ENTRIES } from "./catalogue/asking.js";
import { CONTINUE_ENTRIES } from "./catalogue/continue.js";
import { CREDENTIAL_ENTRIES } from "./catalogue/credentials.js";
import type { Entries } from "./catalogue/entry.js";
import { EXPECTATION_ENTRIES } from "./catalogue/expectations.js";
import { REFUSAL_ENTRIES } from "./catalogue/refusals.js";
import { REQUEST_ENTRIES } from "./catalogue/requests.js";
import { UPLOAD_ENTRIES } from "./catalogue/uploads.js";

/** The text of each finding: severity, title, cause and fixes. */
export const CATALOGUE: Entries<FindingCode> = {
  ...REQUEST_ENTRIES,
  ...CONTINUE_ENTRIES,
  ...REFUSAL_ENTRIES,
  ...EXPECTATION_ENTRIES,
  ...CREDENTIAL_ENTRIES,
  ...UPLOAD_ENTRIES,
  ...ASK_ENTRIES,
};
