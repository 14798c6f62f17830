import { serve } from "@hono/node-server";
import { attach, expectations, maxSize } from "express-expectations";
import { Hono } from "hono";
import { save } from "./save.mjs";

const app = new Hono();
app.put("/files/:name", async (c) => c.text(await save(c.req.param("name"), c.req.raw.body), 201));

const server = serve({ fetch: app.fetch, port: process.env.PORT, hostname: "127.0.0.1" });
attach(server, { guard: expectations({ policies: [maxSize("1mb")] }) });
