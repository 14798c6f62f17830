import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";

/** Makes a middleware of Hono, on @hono/node-server, of a guard. */
export const honoGuard = (guard) => (c, next) =>
  new Promise((resolve, reject) => {
    const { incoming, outgoing } = c.env;
    // After a refusal nothing but the end of the response comes.
    outgoing.once("close", () => resolve(RESPONSE_ALREADY_SENT));
    guard(incoming, outgoing, (error) => (error ? reject(error) : resolve(next())));
  });
