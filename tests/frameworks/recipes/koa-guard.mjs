/** Makes a middleware of Koa of a guard. */
export const koaGuard = (guard) => (ctx, next) =>
  new Promise((resolve, reject) => {
    // After a refusal nothing but the end of the response comes.
    ctx.res.once("close", resolve);
    guard(ctx.req, ctx.res, (error) => (error ? reject(error) : resolve(next())));
  });
