import type { ExchangeId } from "../exchange-result.js";
import type { FindingCode } from "../finding.js";

/** Returns the fragment of a finding on the page. */
export const findingAnchor = (code: FindingCode): string => `finding-${code}`;

/** Returns the fragment of an exchange on the page. */
export const exchangeAnchor = (id: ExchangeId): string => `exchange-${id}`;
