/** An error handler of Express that prints what it gets. */
export function report(error, _req, _res, next) {
  console.log(`handler: ${error.code ?? error.message}`);
  next(error);
}
