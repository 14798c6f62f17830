import { response, type Served } from "./served.js";

/** Does something with a request. Returns whether it did, so that the right thing is left out. */
export type Behaviour = (served: Served) => boolean | Promise<boolean>;

/** The connection ends behind the response. */
export const CLOSE = "Connection: close";

const STORED = response("201 Created");

/** Applies to requests that wait for a 100. The others get the right thing. */
export function toHandshakes(act: (served: Served) => unknown, otherwise: Behaviour = () => false): Behaviour {
  return async (served) => {
    if (!served.isHandshake) return otherwise(served);
    await act(served);
    return true;
  };
}

/** Sends what comes before the final response, then stores the content. */
export function stores(...before: string[]): (served: Served) => Promise<void> {
  return async (served) => {
    served.send(...before);
    await served.content();
    served.send(STORED);
  };
}
