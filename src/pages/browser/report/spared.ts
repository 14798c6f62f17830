import type { Spared, Summary } from "../../../report/summary.js";
import { bytesText } from "../../bytes.js";

/** One kind of bytes that did not come. */
export interface SparedKind {
  readonly name: "Not sent" | "Not received";
  bytesOf(spared: Spared): number;
}

const NOT_SENT: SparedKind = { name: "Not sent", bytesOf: ({ bytesWithheld }) => bytesWithheld };
const NOT_RECEIVED: SparedKind = {
  name: "Not received",
  bytesOf: ({ bytesSpared, bytesWithheld }) => bytesSpared - bytesWithheld,
};

/** Returns the kinds that a page shows: those with bytes, and one at least. */
export function sparedKinds(summary: Summary): readonly SparedKind[] {
  const shown = [NOT_SENT, NOT_RECEIVED].filter((kind) => kind.bytesOf(summary) > 0);
  return shown.length === 0 ? [NOT_SENT] : shown;
}

/** Returns bytes that did not come as text: `1 GiB not sent, 2 MiB not received`. */
export function sparedText(spared: Spared): string {
  const shown = [NOT_SENT, NOT_RECEIVED].filter((kind) => kind.bytesOf(spared) > 0);
  const told = shown.length === 0 ? [NOT_SENT] : shown;
  return told.map((kind) => `${bytesText(kind.bytesOf(spared))} ${kind.name.toLowerCase()}`).join(", ");
}
