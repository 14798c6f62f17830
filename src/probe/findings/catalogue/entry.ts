import type { Finding, FindingCode, Fix } from "../../finding.js";

/** The text of a finding: severity, title, cause and fixes. */
interface Entry {
  readonly severity: Finding["severity"];
  /** The severity if a proxy causes it and not the origin. */
  readonly severityAtProxy?: Finding["severity"];
  readonly title: string;
  readonly cause: string;
  readonly fixes: readonly Fix[];
  /** Findings that this one replaces, because they say less about the same cause. */
  readonly supersedes?: readonly FindingCode[];
}

/** The entries of some findings. */
export type Entries<Code extends FindingCode> = Readonly<Record<Code, Entry>>;
