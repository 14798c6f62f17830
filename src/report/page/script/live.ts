/** The part of the script that receives summaries as server-sent events and shows the state of the connection. */
export const LIVE: string = `
  const RETRY_MS = 5000;

  function listen() {
    const events = new EventSource("events");
    events.addEventListener("message", (event) => {
      connection("live", "Live");
      draw(JSON.parse(event.data));
    });
    events.addEventListener("error", () => {
      if (events.readyState === EventSource.CONNECTING) {
        connection("waiting", "Reconnecting");
        return;
      }
      // The server answered without events: the session has ended, or there are too many readers.
      connection("lost", "Not connected");
      setTimeout(listen, RETRY_MS);
    });
  }

  function connection(state, text) {
    const element = byId("connection");
    if (element.dataset.state === state) return;
    element.hidden = false;
    element.dataset.state = state;
    element.textContent = text;
  }

`;
