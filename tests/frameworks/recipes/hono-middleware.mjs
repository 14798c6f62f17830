import { serve } from "@hono/node-server";
import { attach, expectations, maxSize } from "express-expectations";
import { Hono } from "hono";
import { honoGuard } from "./hono-guard.mjs";
import { save } from "./save.mjs";

const app = new Hono();
const guard = honoGuard(expectations({ policies: [maxSize("1mb")] }));
app.put("/files/:name", guard, async (c) => c.text(await save(c.req.param("name"), c.req.raw.body), 201));

attach(serve({ fetch: app.fetch, port: process.env.PORT, hostname: "127.0.0.1" }));
