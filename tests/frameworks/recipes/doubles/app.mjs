import express from "express";
import { expectations, maxSize, mediaTypes, quota } from "express-expectations";
import { RateLimiterMemory } from "rate-limiter-flexible";

/** Makes the guard anew for each test, so that no test uses up another one's quota. */
export function makeGuard(policies = []) {
  const limiter = new RateLimiterMemory({ points: 2_000, duration: 60 });
  const daily = quota({ limiter, key: (req) => req.socket?.remoteAddress ?? "test" });
  return expectations({
    policies: [mediaTypes(["image/*"]), maxSize("1kb"), daily, ...policies],
    policyTimeoutMs: 5_000,
    logger: { warn() {}, error() {} },
  });
}

export function makeApp(policies = []) {
  const app = express();
  app.put("/images/:id", makeGuard(policies), express.raw({ type: "image/*", limit: "1mb" }), (req, res) => {
    res.status(201).send(`stored ${req.body.length}`);
  });
  return app;
}
