import { createServer } from "node:http";
import { attach, expectations, maxSize } from "express-expectations";
import { H3 } from "h3";
import { toNodeHandler } from "h3/node";
import { save } from "./save.mjs";

const app = new H3();
app.put("/files/:name", async (event) => {
  const digest = await save(event.context.params.name, event.req.body);
  return new Response(digest, { status: 201 });
});

const guard = expectations({ policies: [maxSize("1mb")] });
attach(createServer(toNodeHandler(app)), { guard }).listen(process.env.PORT, "127.0.0.1");
