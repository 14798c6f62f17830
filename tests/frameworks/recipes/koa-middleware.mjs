import Router from "@koa/router";
import { attach, expectations, maxSize } from "express-expectations";
import Koa from "koa";
import { koaGuard } from "./koa-guard.mjs";
import { save } from "./save.mjs";

const router = new Router();
router.put("/files/:name", koaGuard(expectations({ policies: [maxSize("1mb")] })), async (ctx) => {
  ctx.body = await save(ctx.params.name, ctx.req);
  ctx.status = 201;
});

const app = new Koa().use(router.routes());
attach(app.listen(process.env.PORT, "127.0.0.1"));
