import type { Summary } from "../../../report/summary.js";

/** What the document tells the script about itself. */
export interface PageSettings {
  /** Whether new summaries arrive as server-sent events. */
  readonly live: boolean;
  /** The name of each status. */
  readonly statusNames: Readonly<Record<string, string>>;
}

/** Returns an element that the document has. */
export function byId(id: string): HTMLElement {
  return document.getElementById(id) as HTMLElement;
}

/** Reads the summary that the document carries. */
export function ownSummary(): Summary {
  return JSON.parse(byId("summary").textContent ?? "");
}

/** Reads the settings that the document carries. */
export function ownSettings(): PageSettings {
  return JSON.parse(byId("settings").textContent ?? "");
}
