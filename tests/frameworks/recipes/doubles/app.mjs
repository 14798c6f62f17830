import express from "express";
import { expectations, maxSize, mediaTypes, quota } from "express-expectations";
import { RateLimiterMemory } from "rate-limiter-flexible";

/** Makes the application anew for each test, so that no test uses up another one's quota. */
export function makeApp({ policies = [] } = {}) {
  const limiter = new RateLimiterMemory({ points: 2_000, duration: 60 });
  const daily = quota({ limiter, key: (req) => req.socket.remoteAddress ?? "test" });
  const guard = expectations({
    policies: [mediaTypes(["image/*"]), maxSize("1kb"), daily, ...policies],
    policyTimeoutMs: 5_000,
    logger: { warn() {}, error() {} },
  });
  const app = express();
  app.put("/images/:id", guard, express.raw({ type: "image/*", limit: "1mb" }), (req, res) => {
    res.status(201).send(`stored ${req.body.length}`);
  });
  return app;
}
