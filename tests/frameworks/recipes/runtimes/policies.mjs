import express from "express";
import {
  attach,
  authorize,
  concurrency,
  expectations,
  knownLength,
  maxSize,
  mediaTypes,
  quota,
} from "express-expectations";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { save } from "../save.mjs";

const isSignedIn = authorize((req) => req.headers.authorization === "Bearer yes", { challenge: "Bearer" });
const perDay = new RateLimiterMemory({ points: 100_000, duration: 86_400 });
const daily = quota({ limiter: perDay, key: (req) => req.headers.authorization, name: "daily" });
const policies = [isSignedIn, mediaTypes(["image/*"]), knownLength(), maxSize("1mb"), concurrency({ limit: 1 }), daily];

const app = express();
app.put("/files/:name", expectations({ policies }), (req, res, next) => {
  save(req.params.name, req).then((digest) => res.status(201).send(digest), next);
});
attach(app.listen(process.env.PORT, "127.0.0.1"));
