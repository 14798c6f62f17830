import type { IncomingMessage } from "node:http";

interface Emitter {
  _events: unknown;
  _eventsCount: unknown;
}

/**
 * Returns a view of a request: some properties are its own, and all others are those of the request. What is set on the
 * view stays there.
 *
 * A listener that is added to the view is one of the request. An emitter keeps its listeners in `_events`, and their
 * number in `_eventsCount`. The view would inherit the one and get an own copy of the other, and Node would drop the
 * listener as soon as the request has no other one. No public method shares listeners. Canary test: "an emitter keeps its
 * listeners in _events, and their number in _eventsCount".
 */
export function viewOf(req: IncomingMessage, own: Readonly<Record<string, unknown>>): IncomingMessage {
  const emitter = req as unknown as Emitter;
  const shared = (name: keyof Emitter): PropertyDescriptor => ({
    get: () => emitter[name],
    set: (value: unknown) => {
      emitter[name] = value;
    },
  });
  const view = Object.create(req, { _events: shared("_events"), _eventsCount: shared("_eventsCount") });
  for (const [name, value] of Object.entries(own)) {
    Object.defineProperty(view, name, { value, enumerable: true, writable: true, configurable: true });
  }
  return view;
}
