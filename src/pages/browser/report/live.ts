import type { Summary } from "../../../report/summary.js";
import { byId } from "./data.js";

const RETRY_MS = 5_000;

/** Receives summaries as server-sent events, and shows the state of the connection. */
export function listen(onSummary: (summary: Summary) => void): void {
  const events = new EventSource("events");
  events.addEventListener("message", ({ data }) => {
    showConnection("live", "Live");
    onSummary(JSON.parse(data));
  });
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CONNECTING) {
      showConnection("waiting", "Reconnecting");
      return;
    }
    // The server answered without events: the session has ended, or there are too many readers.
    showConnection("lost", "Not connected");
    setTimeout(() => listen(onSummary), RETRY_MS);
  });
}

/** Shows the state of the connection. */
export function showConnection(state: "waiting" | "live" | "lost", text: string): void {
  const element = byId("connection");
  if (element.dataset.state === state) return;
  element.hidden = false;
  element.dataset.state = state;
  element.textContent = text;
}
